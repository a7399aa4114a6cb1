import { mapLimited } from "../internal/index.ts";
import type { BlobSource } from "./blob-source.ts";
import type { ImageDescriptor } from "./descriptor.ts";
import { blobPath } from "./digest.ts";
import type { ConfigDocument, ManifestDocument } from "./documents.ts";
import { LAYER_TYPES } from "./media-types.ts";
import { documentError } from "./read-document.ts";

/**
 * Holds a manifest's layers against its config and against the blobs that are there.
 *
 * @throws StowageError `not_found` when a layer is missing.
 * @throws StowageError `invalid_argument` when a layer has another size or an unknown kind, or when the
 *   config knows another number of layers.
 */
export async function checkLayers(
  source: BlobSource & { readonly location: string },
  manifest: ImageDescriptor,
  document: ManifestDocument,
  config: ConfigDocument,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { location } = source;
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== document.layers.length) {
    throw documentError(
      { location, file: blobPath(document.config.digest) },
      `rootfs.diff_ids: names ${diffIds.length} layers, but the manifest has ${document.layers.length}; build the image again`,
    );
  }
  const file = blobPath(manifest.digest);
  await mapLimited([...document.layers.entries()], LAYERS_AT_ONCE, async ([at, layer]) => {
    signal?.throwIfAborted();
    if (!LAYER_TYPES.has(layer.mediaType)) {
      throw documentError(
        { location, file },
        `layers[${at}].mediaType: "${layer.mediaType}" is not a layer that can be unpacked; build the image with gzip or zstd layers`,
      );
    }
    const size = await source.size(layer.digest);
    if (size !== layer.size) {
      throw documentError(
        { location, file: blobPath(layer.digest) },
        `it has ${size} of the ${layer.size} bytes declared in layers[${at}].size of ${file}; copy the whole image again`,
      );
    }
  });
}

/** A registry is asked for each. */
const LAYERS_AT_ONCE = 8;
