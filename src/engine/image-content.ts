/** A blob as OCI descriptors name it. */
export interface BlobDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** The parts of an image's config that say how its processes run. */
export interface ImageDefaults {
  readonly env?: readonly string[] | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  readonly user?: string | undefined;
  readonly stopSignal?: string | undefined;
}

/** Where an engine that pulls by itself finds an image, by its manifest's digest. */
export interface ImageOrigin {
  /** Domain and path, without tag and digest. */
  readonly repository: string;
  /** Whether the registry is spoken with in the clear. */
  readonly isPlain: boolean;
  /** Repositories that hold the same and are asked before it, in this order; one that is away is passed over. */
  readonly mirrors?: readonly { readonly repository: string; readonly isPlain: boolean }[];
  /** Variables of the user's that programs of registries go by: proxies, where the configuration is. */
  readonly env: Readonly<Record<string, string>>;
  /** What the user proves to registries who it is with, by domain; never shown, never in arguments. */
  credentials(): Promise<ReadonlyMap<string, RegistryAccount>>;
  /**
   * Headers that prove it to registries, by domain, for engines that take no login but in arguments: they let only
   * this image be read, and that for a while. Never shown; absent where the engine is on this machine.
   */
  proofs?(): Promise<ReadonlyMap<string, string>>;
  /** Told how many bytes have come so far. */
  onBytes?(bytes: number): void;
}

/** A user of a registry: by a password, or by a token of its login service. */
export type RegistryAccount =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

/** One platform's image and its bytes, as an engine takes it in. */
export interface ImageContent {
  /** Reference in canonical form, as it was declared. */
  readonly reference: string;
  readonly manifest: BlobDescriptor;
  /** The index that led to the manifest, if one did. */
  readonly index?: BlobDescriptor;
  readonly config: BlobDescriptor;
  readonly layers: readonly BlobDescriptor[];
  /** Digests of the layers without compression, in order. */
  readonly diffIds: readonly string[];
  readonly defaults: ImageDefaults;
  /** The registry that has it, for an engine that pulls by itself; absent where the bytes have to be taken from here. */
  readonly registry?: ImageOrigin;
  /** Bytes of a blob from `offset`; whoever reads them verifies the digest. */
  open(digest: string, offset?: number): AsyncIterable<Uint8Array>;
}

/** An image taken out of an engine for another engine of the same host; disposing gives back what it needed. */
export interface ExportedImage extends AsyncDisposable {
  readonly content: ImageContent;
}
