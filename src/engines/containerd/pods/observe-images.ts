import { LABEL_IMAGE, LABEL_IMAGE_FLEET_PREFIX, type ObservedImage } from "../../../model/index.ts";
import { type ImageRecord, leadsTo } from "../images/image-record.ts";

/** Fleets that use an image, as its labels say. */
export function fleetsOf(labels: ImageRecord["labels"]): readonly string[] {
  return Object.entries(labels)
    .flatMap(([key, value]) => (key.startsWith(LABEL_IMAGE_FLEET_PREFIX) ? [value] : []))
    .sort();
}

/** Whether Stowage made an image's record. */
export function isOurs({ labels }: ImageRecord): boolean {
  return labels[LABEL_IMAGE] !== undefined;
}

/** The images of a namespace. @param used names of those that containers of anyone use */
export function observeImages(
  records: readonly ImageRecord[],
  used: ReadonlySet<string>,
): readonly ObservedImage[] {
  return records.map((record) => {
    const { name } = record;
    const fleets = fleetsOf(record.labels);
    return {
      name,
      digest: leadsTo(record),
      ...(isOurs(record) || fleets.length > 0 ? { fleets } : {}),
      inUse: used.has(name),
    };
  });
}
