import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxImage, thisPlatform } from "../../../scripts/lib/make-image.ts";
import type { ImageContent } from "../../../src/engine/index.ts";
import { openImageSource, resolveImage } from "../../../src/image/index.ts";

/** The suite's image for engines that run real processes: this machine's busybox. */
export async function busyboxContent(kind: "base" | "other"): Promise<ImageContent> {
  const out = mkdtempSync(join(tmpdir(), "stw-conf-image-"));
  const reference = `localhost/conformance:${kind}`;
  const path = "/bin:/sbin:/usr/bin:/usr/sbin";
  const made = busyboxImage({
    out,
    reference,
    files: new Map([["/kind", { content: kind }]]),
    config: {
      cmd: ["/bin/sh"],
      env: { PATH: path, IMAGE_ONLY: "image", BOTH: "image" },
      ...(kind === "other" ? { workingDir: "/tmp" } : {}),
    },
  });
  const content = await layoutContent(made.layout, reference);
  rmSync(out, { recursive: true });
  return content;
}

/** An image of a layout on disk, held in memory: the folder need not outlive this. */
export async function layoutContent(layout: string, reference: string): Promise<ImageContent> {
  const source = await openImageSource({ layout });
  const { imageConfig, index, ...resolved } = await resolveImage(source, reference, thisPlatform());
  const blobs = new Map<string, Buffer>();
  for (const { digest } of [resolved.manifest, resolved.config, ...resolved.layers]) {
    const parts: Uint8Array[] = [];
    for await (const part of source.open(digest)) parts.push(part);
    blobs.set(digest, Buffer.concat(parts));
  }
  await source[Symbol.asyncDispose]();
  return {
    ...resolved,
    ...(index === undefined ? {} : { index }),
    defaults: imageConfig,
    open: async function* (digest, offset = 0) {
      yield blobs.get(digest)?.subarray(offset) ?? Buffer.alloc(0);
    },
  };
}
