import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { reserveSpace } from "../../../host/index.ts";
import { callOptions, type RktContext } from "../context.ts";

/**
 * Sees that the disks can hold an image: its blobs that are not kept yet, the ACI that is written of all of
 * them, and that ACI in rkt's store. What is unpacked there is no smaller than what came.
 */
export async function reserveImageSpace(
  { host, layout }: RktContext,
  { manifest, config, layers }: ImageContent,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Disposable> {
  const all = [
    ...new Map([manifest, config, ...layers].map((blob) => [blob.digest, blob])).values(),
  ];
  const exist = all.map(({ digest }) => layout.blobFile(digest));
  const { existing } = await host.snapshot({ exist }, callOptions(signal));
  const missing = all.filter(({ digest }) => !existing.has(layout.blobFile(digest)));
  const needs = [
    { path: layout.root, bytes: sum(missing) + sum(layers) },
    { path: layout.dir, bytes: sum(layers) },
  ];
  return await reserveSpace(host, needs, { doing: `import image "${name}"`, signal });
}

function sum(blobs: readonly BlobDescriptor[]): number {
  return blobs.reduce((bytes, { size }) => bytes + size, 0);
}
