import type { BlobDescriptor } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { type Image, Images } from "../../../gen/containerd/services/images/v1/images_pb.ts";
import { LABEL_IMAGE_TARGET } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import type { Labels } from "./gc-labels.ts";

/** An image's name in containerd, and what it leads to. */
export interface ImageRecord {
  readonly name: string;
  /** The index or the manifest. */
  readonly target: BlobDescriptor;
  readonly labels: Labels;
}

/** What a record is to say. */
export interface ImageRecordWrite {
  readonly name: string;
  readonly target: BlobDescriptor;
  /** Added to what is there. */
  readonly labels: Labels;
  /** Added only when the record is made here, not when somebody else's is taken over; one that pointed elsewhere belongs to nobody. */
  readonly labelsIfMade?: Labels;
}

/** Every image record of the namespace. */
export async function listImageRecords(
  client: ContainerdClient,
  signal?: AbortSignal,
): Promise<readonly ImageRecord[]> {
  const { images } = await client.unary(Images.method.list, {}, { doing: "list images", signal });
  return images.map(toRecord);
}

/** One image record; undefined when there is none. */
export async function getImageRecord(
  client: ContainerdClient,
  name: string,
  signal?: AbortSignal,
): Promise<ImageRecord | undefined> {
  try {
    const { image } = await client.unary(
      Images.method.get,
      { name },
      { doing: `look up image "${name}"`, signal },
    );
    return image === undefined ? undefined : toRecord(image);
  } catch (error) {
    if (StowageError.is(error, "not_found")) return undefined;
    throw error;
  }
}

/** Makes an image record, or changes what differs in the one that is there. */
export async function writeImageRecord(
  client: ContainerdClient,
  write: ImageRecordWrite,
  signal?: AbortSignal,
): Promise<void> {
  const { name } = write;
  const options = { doing: `record image "${name}"`, signal };
  // a create without a complete target ends the daemons of 1.7 and 2.1
  const target = checkedTarget(write);
  const held = await getImageRecord(client, name, signal);
  if (held === undefined) {
    const labels = { ...write.labels, ...write.labelsIfMade };
    try {
      await client.unary(Images.method.create, { image: { name, target, labels } }, options);
      return;
    } catch (error) {
      if (!StowageError.is(error, "already_exists")) throw error;
    }
  }
  const sameTarget = held?.target.digest === write.target.digest;
  const ledElsewhere = held !== undefined && !sameTarget && leadsTo(held) !== namedDigest(name);
  const missing = Object.entries({
    ...write.labels,
    ...(ledElsewhere ? write.labelsIfMade : {}),
  }).filter(([key, value]) => held?.labels[key] !== value);
  const paths = [...(sameTarget ? [] : ["target"]), ...missing.map(([key]) => `labels.${key}`)];
  if (paths.length === 0) return;
  const image = { name, target, labels: Object.fromEntries(missing) };
  await client.unary(Images.method.update, { image, updateMask: { paths } }, options);
}

/**
 * Adds labels to a record that is there.
 *
 * @throws StowageError `not_found` when it is not
 */
export async function addImageLabels(
  client: ContainerdClient,
  name: string,
  labels: Labels,
  signal?: AbortSignal,
): Promise<void> {
  const held = await getImageRecord(client, name, signal);
  if (held === undefined) {
    throw new StowageError(
      `Cannot claim image "${name}": it is not in containerd; pull or import it first`,
      {
        code: "not_found",
        context: { image: name },
      },
    );
  }
  await writeImageRecord(client, { name, target: held.target, labels }, signal);
}

/** Takes a label off a record. @returns the record as it is then; undefined when there is none */
export async function removeImageLabel(
  client: ContainerdClient,
  name: string,
  key: string,
  signal?: AbortSignal,
): Promise<ImageRecord | undefined> {
  const held = await getImageRecord(client, name, signal);
  if (held?.labels[key] === undefined) return held;
  const options = { doing: `release image "${name}"`, signal };
  // a key of the mask that has no value in the message is deleted
  const request = {
    image: { name, target: checkedTarget(held) },
    updateMask: { paths: [`labels.${key}`] },
  };
  try {
    const { image } = await client.unary(Images.method.update, request, options);
    return image === undefined ? undefined : toRecord(image);
  } catch (error) {
    if (StowageError.is(error, "not_found")) return undefined;
    throw error;
  }
}

/**
 * Deletes a record; absent: nothing happens. Containers that use the image keep their layers.
 *
 * @param sync whether to return only when what it held has been collected
 */
export async function deleteImageRecord(
  client: ContainerdClient,
  name: string,
  options: { readonly sync?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { sync = false, signal } = options;
  try {
    await client.unary(
      Images.method.delete,
      { name, sync },
      { doing: `remove image "${name}"`, signal },
    );
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
}

/** The platform's manifest in an image's name. */
function namedDigest(name: string): string | undefined {
  return /@(sha256:[a-f0-9]{64})$/.exec(name)?.[1];
}

/** What an import writes down of where a name of Stowage's leads. */
export function targetLabel(manifestDigest: string, targetDigest: string): Labels {
  return { [LABEL_IMAGE_TARGET]: `${manifestDigest} ${targetDigest}` };
}

/**
 * The platform's manifest that a record leads to, which its name has; an index stands for it where the import
 * wrote that down or nobody did. Else the target, as somebody gave the name to another image.
 */
export function leadsTo({ name, target, labels }: ImageRecord): string {
  const named = namedDigest(name);
  if (named === undefined || target.digest === named) return target.digest;
  if (/\.manifest\.v\d+\+json$/.test(target.mediaType)) return target.digest;
  const told = labels[LABEL_IMAGE_TARGET];
  const expected = targetLabel(named, target.digest)[LABEL_IMAGE_TARGET];
  return told === undefined || told === expected ? named : target.digest;
}

function checkedTarget({ name, target }: Pick<ImageRecord, "name" | "target">) {
  const { mediaType, digest, size } = target;
  if (name === "" || mediaType === "" || digest === "" || !(size > 0)) {
    throw new StowageError(
      `Cannot record image "${name}": its name, or the type, digest or size of its target is missing`,
      {
        code: "invalid_argument",
      },
    );
  }
  return { mediaType, digest, size: BigInt(size) };
}

function toRecord({ name, labels, target }: Image): ImageRecord {
  const { mediaType = "", digest = "", size = 0n } = target ?? {};
  return { name, labels, target: { mediaType, digest, size: Number(size) } };
}
