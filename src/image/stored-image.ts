import { StowageError } from "../errors/index.ts";
import type { BlobSource } from "./blob-source.ts";
import { checkLayers } from "./check-layers.ts";
import type { ImageDescriptor } from "./descriptor.ts";
import { ConfigDocument, ManifestDocument } from "./documents.ts";
import { type ImageConfig, toImageConfig } from "./image-config.ts";
import { readDocument } from "./read-document.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** An image of one platform that a store of blobs holds whole. */
export interface StoredImage {
  readonly manifest: ImageDescriptor;
  readonly config: ImageDescriptor;
  /** Lowest first. */
  readonly layers: readonly ImageDescriptor[];
  /** Digests of the layers unpacked, in their order. */
  readonly diffIds: readonly string[];
  readonly imageConfig: ImageConfig;
}

/**
 * Looks up an image by its manifest's digest. Manifest and config are verified; layers are there and
 * have their size, and are verified by who reads them.
 *
 * @returns undefined when any blob of it is missing
 * @throws StowageError `invalid_argument` when a document does not fit
 */
export async function readStoredImage(
  source: BlobSource & { readonly location: string },
  digest: string,
  signal?: AbortSignal,
): Promise<StoredImage | undefined> {
  try {
    const bare = { mediaType: MANIFEST_TYPE, digest, size: await source.size(digest) };
    const document = await readDocument(source, bare, ManifestDocument);
    const manifest = { ...bare, mediaType: document.mediaType ?? MANIFEST_TYPE };
    const config = await readDocument(source, document.config, ConfigDocument);
    await checkLayers(source, manifest, document, config, signal);
    return {
      manifest,
      config: document.config,
      layers: document.layers,
      diffIds: config.rootfs.diff_ids ?? [],
      imageConfig: toImageConfig(config),
    };
  } catch (error) {
    if (StowageError.is(error, "not_found")) return undefined;
    throw error;
  }
}
