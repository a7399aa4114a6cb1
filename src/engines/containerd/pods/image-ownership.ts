import type { ImageContent, ImageOwnership } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import {
  type AppliedImage,
  imageFleetLabel,
  imageName,
  LABEL_IMAGE,
} from "../../../model/index.ts";
import {
  addImageLabels,
  deleteImageRecord,
  getImageRecord,
  removeImageLabel,
} from "../images/image-record.ts";
import { importImage } from "../images/import-image.ts";
import { listContainers } from "./container-records.ts";
import { reserveImageSpace } from "./image-space.ts";
import { fleetsOf, isOurs } from "./observe-images.ts";
import type { PodContext } from "./pod-context.ts";

/** Brings an image in, with a fleet's label on its record. */
export async function importForFleet(
  context: PodContext,
  content: ImageContent,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, snapshotter } = context;
  using _ = await reserveImageSpace(context, content, signal);
  const isPulled = await pullBefore(context, content, signal);
  await importImage(client, content, {
    name: imageName(content.reference, content.manifest.digest),
    labels: labelOf(ownership),
    labelsIfMade: { [LABEL_IMAGE]: "true" },
    snapshotter,
    signal,
  });
  if (!isPulled) return;
  const { endHostPull } = await import("../images/host-pull.ts");
  await endHostPull(context, content);
}

/** Has another machine get the blobs itself. @returns whether it did */
async function pullBefore(
  context: PodContext,
  content: ImageContent,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { registry } = content;
  // on this one our own client continues where a killed run left off, which ctr and the daemon do not
  if (registry === undefined || context.host.address === "local") return false;
  const name = imageName(content.reference, content.manifest.digest);
  if ((await getImageRecord(context.client, name, signal)) !== undefined) return false;
  const { endHostPull, pullOnHost } = await import("../images/host-pull.ts");
  try {
    await pullOnHost(context, content, registry, signal);
  } catch (error) {
    // after an abort nobody waits for this: the next pass finds what is left, and continues with it
    if (signal?.aborted !== true && !StowageError.is(error, "aborted"))
      await endHostPull(context, content).catch(() => undefined);
    throw error;
  }
  return true;
}

/** Puts a fleet's label on an image that is there. */
export async function claimImage(
  { client }: PodContext,
  image: AppliedImage,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const name = imageName(image.reference, image.digest);
  await addImageLabels(client, name, labelOf(ownership), signal);
}

/**
 * Takes a fleet's label off; the image goes with the last, when nobody uses it and Stowage made it. The label goes
 * with the record then: taken off before, an end between the two would leave an image without an owner.
 */
export async function releaseImage(
  { client, images }: PodContext,
  name: string,
  { owner, fleet }: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const held = await getImageRecord(client, name, signal);
  if (held === undefined) return;
  const isLast = fleetsOf(held.labels).every((each) => each === `${owner}/${fleet}`);
  const filter = `image==${JSON.stringify(name)}`;
  if (isOurs(held) && isLast && (await listContainers(client, [filter], signal)).length === 0) {
    images.forget(name);
    await deleteImageRecord(client, name, { sync: true, signal });
    return;
  }
  await removeImageLabel(client, name, imageFleetLabel(owner, fleet), signal);
}

function labelOf({ owner, fleet }: ImageOwnership): Readonly<Record<string, string>> {
  return { [imageFleetLabel(owner, fleet)]: `${owner}/${fleet}` };
}
