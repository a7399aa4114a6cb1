import { StowageError } from "../../../errors/index.ts";
import { LAYER_TYPES } from "../../../image/index.ts";

/**
 * The OCI name of a layer's format, which every version of containerd can apply; some of Docker's names
 * are unknown to old ones.
 *
 * @throws StowageError `unimplemented` when the format is not a plain, gzip or zstd tar.
 */
export function layerMediaType(mediaType: string): string {
  if (!LAYER_TYPES.has(mediaType)) {
    throw new StowageError(
      `Cannot unpack layer of type "${mediaType}": containerd applies plain, gzip and zstd tars; build the image with one of these`,
      { code: "unimplemented", context: { mediaType } },
    );
  }
  const compression = /[.+](gzip|zstd)$/.exec(mediaType)?.[1];
  return `application/vnd.oci.image.layer.v1.tar${compression === undefined ? "" : `+${compression}`}`;
}
