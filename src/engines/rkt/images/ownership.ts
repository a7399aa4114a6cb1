import type { ImageOwnership } from "../../../engine/index.ts";
import type { AppliedImage } from "../../../model/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import { imageKey, type RktLayout } from "../layout.ts";
import { readPods } from "../pods/read-pods.ts";
import { FLEET_PREFIX, readImage } from "./image-record.ts";
import { removeImport } from "./remove-image.ts";

/** The file by which a fleet owns an image, and its text. */
export function claimFile(
  layout: RktLayout,
  key: string,
  { owner, fleet }: ImageOwnership,
): [path: string, text: string] {
  // an owner has no slash, a fleet no dot: no two are one name
  return [`${layout.imageDir(key)}/${FLEET_PREFIX}${fleet}.${owner}`, `${owner}/${fleet}\n`];
}

/** Puts a fleet's ownership on an image that is there. */
export async function claimImage(
  context: RktContext,
  image: AppliedImage,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name } = await readImage(context, image, signal);
  const [path, text] = claimFile(context.layout, imageKey(name), ownership);
  await context.host.writeFile(path, text, callOptions(signal));
}

/**
 * Takes a fleet's ownership off; the image goes with the last, when no pod of anyone uses it. All that may fail
 * is asked before; what ends after that leaves an image without an owner, which is a leftover.
 */
export async function releaseImage(
  context: RktContext,
  name: string,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, layout } = context;
  signal?.throwIfAborted();
  const key = imageKey(name);
  const directory = layout.imageDir(key);
  const [claim] = claimFile(layout, key, ownership);
  const { entries } = await host.snapshot({ list: [directory] }, callOptions(signal));
  const names = entries.get(directory);
  if (names === undefined) return;
  const isLast = names.every(
    (each) => !each.startsWith(FLEET_PREFIX) || `${directory}/${each}` === claim,
  );
  const goes = isLast && !(await readPods(context, signal)).imagesInUse.has(key);
  await host.removeFile(claim, callOptions(signal));
  if (goes) await removeImport(context, key);
}
