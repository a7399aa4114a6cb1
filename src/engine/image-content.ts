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
  /** Bytes of a blob from `offset`; whoever reads them verifies the digest. */
  open(digest: string, offset?: number): AsyncIterable<Uint8Array>;
}

/** An image taken out of an engine for another engine of the same host; disposing gives back what it needed. */
export interface ExportedImage extends AsyncDisposable {
  readonly content: ImageContent;
}
