import { thisPlatform } from "../../../scripts/lib/make-image.ts";
import type { ImageContent } from "../../../src/engine/index.ts";
import { type ImageSource, openImageSource, resolveImage } from "../../../src/image/index.ts";

/** An image on disk as an engine takes it in; dispose of `source` after use. */
export async function openContent(
  layout: string,
  reference: string,
): Promise<{ readonly source: ImageSource; readonly content: ImageContent }> {
  const source = await openImageSource(layout.endsWith(".tar") ? { archive: layout } : { layout });
  const image = await resolveImage(source, reference, thisPlatform());
  const content: ImageContent = {
    reference: image.reference,
    manifest: image.manifest,
    ...(image.index === undefined ? {} : { index: image.index }),
    config: image.config,
    layers: image.layers,
    diffIds: image.diffIds,
    defaults: {},
    open: (digest, offset) => source.open(digest, offset),
  };
  return { source, content };
}
