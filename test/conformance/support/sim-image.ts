import { createHash } from "node:crypto";
import type { BlobDescriptor, ImageContent, ImageDefaults } from "../../../src/engine/index.ts";

/** A tiny image for an engine that never looks into its layers: its digests are those of its bytes. */
export function simImage(
  reference: string,
  defaults: ImageDefaults = {},
  layerText: string = reference,
): ImageContent {
  const blobs = new Map<string, Buffer>();
  const put = (mediaType: string, content: string): BlobDescriptor => {
    const bytes = Buffer.from(content);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layer = put("application/vnd.oci.image.layer.v1.tar", layerText);
  const config = put(
    "application/vnd.oci.image.config.v1+json",
    JSON.stringify({ config: defaults, rootfs: { type: "layers", diff_ids: [layer.digest] } }),
  );
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = put(
    mediaType,
    JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }),
  );
  return {
    reference,
    manifest,
    config,
    layers: [layer],
    diffIds: [layer.digest],
    defaults,
    open: async function* (digest, offset = 0) {
      const bytes = blobs.get(digest);
      if (bytes === undefined) throw new Error(`The image has no blob ${digest}`);
      yield bytes.subarray(offset);
    },
  };
}
