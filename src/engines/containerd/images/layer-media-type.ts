import { StowageError } from "../../../errors/index.ts";

/** OCI's and Docker's names of a layer: a tar, plain or compressed by what the first group says. */
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1\.tar|docker\.image\.rootfs(?:\.foreign)?\.diff\.tar)(?:[+.](gzip|zstd))?$/;

/**
 * The OCI name of a layer's format, which every version of containerd can apply; some of Docker's names
 * are unknown to old ones.
 *
 * @throws StowageError `unimplemented` when the format is not a plain, gzip or zstd tar.
 */
export function layerMediaType(mediaType: string): string {
  const match = LAYER.exec(mediaType);
  if (match === null) {
    throw new StowageError(
      `Cannot unpack layer of type "${mediaType}": containerd applies plain, gzip and zstd tars; build the image with one of these`,
      { code: "unimplemented", context: { mediaType } },
    );
  }
  const compression = match[1] === undefined ? "" : `+${match[1]}`;
  return `application/vnd.oci.image.layer.v1.tar${compression}`;
}
