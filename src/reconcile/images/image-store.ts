import { resolve } from "node:path";
import type { ImageContent, ImageOrigin } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import {
  type ImageSource,
  openImageSource,
  type Platform,
  type ResolvedImage,
  resolveImage,
} from "../../image/index.ts";
import { onceARegistry, type Registries, type RegistryWait } from "../../image/registry/index.ts";
import { type FleetManifest, type ImageSpec, parseImageReference } from "../../model/index.ts";
import { platformKey } from "./fleet-lock.ts";

/** Where images come from beside the disk. */
export interface ImageStoreOptions {
  /** @defaultValue none: only what the manifest has on disk */
  readonly registries?: Registries | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told when a registry is long in answering. */
  readonly onWait?: ((wait: RegistryWait) => void) | undefined;
}

/**
 * The images that a manifest has on this machine's disk, and all others in their registries. Nothing is
 * opened before it is asked for, and everything once; dispose it to close what was opened.
 */
export class ImageStore implements AsyncDisposable {
  readonly #specs = new Map<string, ImageSpec>();
  readonly #sources = new Map<string, Promise<ImageSource>>();
  readonly #resolved = new Map<string, Promise<ResolvedImage>>();
  readonly #manifestDir: string;
  readonly #options: ImageStoreOptions;
  readonly #onWait: ImageStoreOptions["onWait"];

  constructor(
    manifest: Pick<FleetManifest, "images">,
    manifestDir: string,
    options: ImageStoreOptions = {},
  ) {
    this.#manifestDir = manifestDir;
    this.#options = options;
    this.#onWait = options.onWait && onceARegistry(options.onWait);
    for (const [reference, spec] of Object.entries(manifest.images ?? {})) {
      this.#specs.set(parseImageReference(reference).canonical, spec);
    }
  }

  /** Digest that the manifest pins a reference to: an index's or a platform manifest's. */
  pinOf(canonical: string): string | undefined {
    return this.#specs.get(canonical)?.digest;
  }

  /** Whether it is known where a reference's bytes are: on disk, or in a registry. */
  has(canonical: string): boolean {
    return this.isOnDisk(canonical) || this.#registriesOf(canonical) !== undefined;
  }

  /** Whether the manifest says where on disk they are. */
  isOnDisk(canonical: string): boolean {
    return this.#pathOf(canonical) !== undefined;
  }

  /** Whether they are in a registry that other machines may ask as well. */
  isElsewhere(canonical: string): boolean {
    if (this.isOnDisk(canonical)) return false;
    const reference = parseImageReference(canonical);
    return this.#registriesOf(canonical)?.isElsewhere(reference) === true;
  }

  /** Finds an image. @throws StowageError when it is not there, or not what it must be */
  async resolve(canonical: string, platform: Platform, digest?: string): Promise<ResolvedImage> {
    const key = [canonical, platformKey(platform), digest ?? ""].join(" ");
    const known = this.#resolved.get(key);
    if (known !== undefined) return await known;
    const pin = digest ?? this.pinOf(canonical);
    const found = this.#open(canonical, pin).then((source) =>
      resolveImage(source, canonical, platform, pin === undefined ? {} : { digest: pin }),
    );
    this.#resolved.set(key, found);
    return await found;
  }

  /**
   * An image with its bytes, as an engine takes it in.
   *
   * @param puller the machine whose engine may ask the registry itself
   */
  async contentOf(
    canonical: string,
    platform: Platform,
    digest: string,
    puller: "here" | "elsewhere" | "nobody" = "here",
  ): Promise<ImageContent> {
    const source = await this.#open(canonical, digest);
    const found = await this.resolve(canonical, platform, digest);
    const { manifest, index, config, layers, diffIds, imageConfig } = found;
    const registry =
      puller === "nobody" ? undefined : await this.#originOf(canonical, digest, puller);
    return {
      reference: canonical,
      manifest,
      ...(index === undefined ? {} : { index }),
      config,
      layers,
      diffIds,
      defaults: imageConfig,
      ...(registry === undefined ? {} : { registry }),
      open: (blob, offset) => source.open(blob, offset),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await Promise.allSettled(this.#sources.values());
    this.#sources.clear();
    this.#resolved.clear();
    await Promise.all(
      opened.map(async (each) => {
        if (each.status === "fulfilled") await each.value[Symbol.asyncDispose]();
      }),
    );
  }

  #pathOf(canonical: string): { layout: string } | { archive: string } | undefined {
    const spec = this.#specs.get(canonical);
    if (spec?.layout !== undefined) return { layout: resolve(this.#manifestDir, spec.layout) };
    if (spec?.archive !== undefined) return { archive: resolve(this.#manifestDir, spec.archive) };
    return undefined;
  }

  async #originOf(
    canonical: string,
    digest: string,
    puller: "here" | "elsewhere",
  ): Promise<ImageOrigin | undefined> {
    if (this.isOnDisk(canonical)) return undefined;
    const { repository } = parseImageReference(canonical);
    const pinned = parseImageReference(`${repository}@${digest}`);
    const registries = this.#registriesOf(canonical);
    if (puller === "here") return await registries?.origin(pinned);
    return await registries?.originElsewhere(pinned, this.#options.signal);
  }

  #registriesOf(canonical: string): Registries | undefined {
    const { registries } = this.#options;
    return registries?.has(parseImageReference(canonical)) === true ? registries : undefined;
  }

  async #open(canonical: string, pin: string | undefined): Promise<ImageSource> {
    const path = this.#pathOf(canonical);
    if (path !== undefined)
      return await this.#once(JSON.stringify(path), () => openImageSource(path));
    const registries = this.#registriesOf(canonical);
    if (registries !== undefined) {
      const { repository } = parseImageReference(canonical);
      // a tag may have moved on from what is pinned
      const reference = pin === undefined ? canonical : `${repository}@${pin}`;
      return await this.#once(reference, () =>
        registries.open(parseImageReference(reference), {
          signal: this.#options.signal,
          onWait: this.#onWait,
        }),
      );
    }
    throw new StowageError(
      `Cannot open image "${canonical}": the manifest names no layout or archive of it; add one to its images`,
      { code: "not_found" },
    );
  }

  async #once(key: string, open: () => Promise<ImageSource>): Promise<ImageSource> {
    const known = this.#sources.get(key);
    if (known !== undefined) return await known;
    const opened = open();
    this.#sources.set(key, opened);
    return await opened;
  }
}
