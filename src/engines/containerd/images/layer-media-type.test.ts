import { expect, test } from "vitest";
import { layerMediaType } from "./layer-media-type.ts";

const OCI = "application/vnd.oci.image.layer.v1.tar";

test.each([
  [OCI, OCI],
  [`${OCI}+gzip`, `${OCI}+gzip`],
  [`${OCI}+zstd`, `${OCI}+zstd`],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", `${OCI}+gzip`],
  ["application/vnd.docker.image.rootfs.diff.tar", OCI],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", `${OCI}+gzip`],
  ["application/vnd.docker.image.rootfs.diff.tar.zstd", `${OCI}+zstd`],
  ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", `${OCI}+gzip`],
])("%s is given to containerd as %s", (given, expected) => {
  expect(layerMediaType(given)).toBe(expected);
});

test.each(["", `${OCI}+encrypted`, `${OCI}+gzip+encrypted`, "application/octet-stream"])(
  "%j is refused as a layer",
  (mediaType) => {
    expect(() => layerMediaType(mediaType)).toThrow(
      expect.objectContaining({ code: "unimplemented" }),
    );
  },
);
