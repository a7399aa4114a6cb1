import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { reserveSpace } from "../../../host/index.ts";
import { imageName } from "../../../model/index.ts";
import { callOptions, type PodmanContext } from "../context.ts";

/**
 * Sees that podman's disk can hold an image: the archive that it is given, all of it, and the layers that
 * its store lacks, which are no smaller when they are unpacked.
 */
export async function reserveImageSpace(
  { host, facts: { graphRoot }, files: { importsDir } }: PodmanContext,
  { reference, manifest, config, layers, diffIds }: ImageContent,
  signal: AbortSignal | undefined,
): Promise<Disposable> {
  const all = [
    ...new Map([manifest, config, ...layers].map((blob) => [blob.digest, blob])).values(),
  ];
  const lists = `${graphRoot}/*-layers/layers.json`;
  const { files } = await host.snapshot({ files: [lists] }, callOptions(signal));
  const texts = [...files.values()].map((text) => (typeof text === "string" ? text : ""));
  const isHeld = (diffId: string): boolean => texts.some((text) => text.includes(diffId));
  const missing = layers.filter((_, at) => !isHeld(diffIds[at] ?? ""));
  const needs = [
    { path: importsDir, bytes: sum(all) },
    { path: graphRoot, bytes: sum(missing) },
  ];
  const doing = `import image "${imageName(reference, manifest.digest)}"`;
  return await reserveSpace(host, needs, { doing, signal });
}

function sum(blobs: readonly BlobDescriptor[]): number {
  return blobs.reduce((bytes, { size }) => bytes + size, 0);
}
