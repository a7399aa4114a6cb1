import {
  imageName,
  type PastRecord,
  type PodHistory,
  parseImageReference,
} from "../model/index.ts";
import type { HostChange } from "./plan.ts";

/** Old records of a host's pods, by pod. */
export type HostHistories = ReadonlyMap<string, PodHistory>;

/** Which old records of each pod stay. */
export interface RecordRetention {
  /** The newest ones. */
  readonly records?: number;
  /** Those that were applied after this stay as well, ms since 1970. */
  readonly before?: number;
}

/** Old records beyond a retention; with each goes a way back, and that is said. */
export function pruneHistories(
  host: string,
  histories: HostHistories,
  retention: RecordRetention,
): readonly HostChange[] {
  return [...histories].flatMap(([pod, { records }]): readonly HostChange[] => {
    const keep = keptOf(records, retention);
    const going = records.slice(0, records.length - keep);
    if (going.length === 0) return [];
    return [
      {
        id: `${host}/history:${pod}`,
        host,
        action: "clean",
        text: `${going.length === 1 ? "record" : "records"} ${going.map(({ number }) => number).join(", ")} of pod ${pod} (${imagesOf(going)}): no rollback to ${going.length === 1 ? "it" : "them"} is possible then`,
        steps: [{ kind: "trim-history", pod, keep }],
        after: [],
      },
    ];
  });
}

/** Records of pods that name an image, as words: to go back to one of them, it has to be brought again. */
export function recordsOf(histories: HostHistories, image: string): readonly string[] {
  return [...histories].flatMap(([pod, { records }]) =>
    records
      .filter(({ images }) =>
        Object.values(images).some(
          ({ reference, digest }) => imageName(reference, digest) === image,
        ),
      )
      .map(({ number }) => `record ${number} of pod ${pod}`),
  );
}

function keptOf(
  records: readonly PastRecord[],
  { records: newest, before }: RecordRetention,
): number {
  if (newest === undefined) return records.length;
  const isYoung = ({ appliedAt }: PastRecord): boolean =>
    before !== undefined && Date.parse(appliedAt) >= before;
  const oldestYoung = records.findIndex(isYoung);
  const young = oldestYoung < 0 ? 0 : records.length - oldestYoung;
  return Math.min(records.length, Math.max(newest, young));
}

function imagesOf(records: readonly PastRecord[]): string {
  const names = records.flatMap(({ images }) =>
    Object.values(images).map(({ reference }) => shortName(reference)),
  );
  return [...new Set(names)].join(", ");
}

function shortName(reference: string): string {
  const { path, tag } = parseImageReference(reference);
  const name = path.slice(path.lastIndexOf("/") + 1);
  return tag === undefined ? name : `${name}:${tag}`;
}
