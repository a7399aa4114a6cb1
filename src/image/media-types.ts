const OCI = "application/vnd.oci.image";
const DOCKER = "application/vnd.docker";

/** An OCI index or a Docker manifest list. */
export const INDEX_TYPES: ReadonlySet<string> = new Set([
  `${OCI}.index.v1+json`,
  `${DOCKER}.distribution.manifest.list.v2+json`,
]);

/** A manifest of one platform. */
export const MANIFEST_TYPES: ReadonlySet<string> = new Set([
  `${OCI}.manifest.v1+json`,
  `${DOCKER}.distribution.manifest.v2+json`,
]);

/** A config that says how to run the image. */
export const CONFIG_TYPES: ReadonlySet<string> = new Set([
  `${OCI}.config.v1+json`,
  `${DOCKER}.container.image.v1+json`,
]);

/** Layers that every engine can apply: plain, gzip and zstd tars. */
export const LAYER_TYPES: ReadonlySet<string> = new Set([
  `${OCI}.layer.v1.tar`,
  `${OCI}.layer.v1.tar+gzip`,
  `${OCI}.layer.v1.tar+zstd`,
  `${OCI}.layer.nondistributable.v1.tar`,
  `${OCI}.layer.nondistributable.v1.tar+gzip`,
  `${OCI}.layer.nondistributable.v1.tar+zstd`,
  `${DOCKER}.image.rootfs.diff.tar`,
  `${DOCKER}.image.rootfs.diff.tar.gzip`,
  `${DOCKER}.image.rootfs.diff.tar.zstd`,
  `${DOCKER}.image.rootfs.foreign.diff.tar`,
  `${DOCKER}.image.rootfs.foreign.diff.tar.gzip`,
]);
