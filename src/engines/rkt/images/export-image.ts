import type { ExportedImage, ImageContent } from "../../../engine/index.ts";
import type { HostReader } from "../../../host/index.ts";
import type { AppliedImage } from "../../../model/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import type { RktLayout } from "../layout.ts";
import { findImage } from "./image-record.ts";

/** An image taken out of rkt, from the bytes that were kept beside it: the very ones that were imported. */
export async function exportImage(
  { host, layout, ...context }: RktContext,
  image: AppliedImage,
  signal: AbortSignal | undefined,
): Promise<ExportedImage | undefined> {
  const record = await findImage(
    { ...context, host, layout },
    image.reference,
    image.digest,
    signal,
  );
  if (record === undefined) return undefined;
  const { reference, manifest, config, layers, diffIds, defaults } = record;
  const files = [manifest, config, ...layers].map(({ digest }) => layout.blobFile(digest));
  const { existing } = await host.snapshot({ exist: files }, callOptions(signal));
  if (files.some((file) => !existing.has(file))) return undefined;
  const content: ImageContent = {
    reference,
    manifest,
    config,
    layers,
    diffIds,
    defaults,
    open: (digest, offset = 0) => readBlob(host, layout, digest, offset),
  };
  return { content, [Symbol.asyncDispose]: async () => undefined };
}

async function* readBlob(
  host: HostReader,
  layout: RktLayout,
  digest: string,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = offset; ; ) {
    const stretch = await host.readFileFrom(layout.blobFile(digest), at);
    if (stretch === undefined || stretch.bytes.byteLength === 0) return;
    yield stretch.bytes;
    at = stretch.nextOffset;
  }
}
