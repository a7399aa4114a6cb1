import * as z from "zod";
import { Name } from "./names.ts";
import { parseVersioned, type VersionedReading } from "./parse-versioned.ts";
import { generationDigest, type PodRecord, RecordedGeneration } from "./record.ts";

/** Version of the history's form; a higher one found on a host is left alone. */
export const HISTORY_VERSION = 1;

/** Old records of a pod that are kept beside the current one. */
export const HISTORY_MAX = 10;

/** What was applied to a pod once, proven, and then replaced by something else. */
export const PastRecord = z.lazy(() =>
  z.strictObject({
    ...RecordedGeneration.omit({ secrets: true }).shape,
    /** Its place among all that were applied to the pod; it only rises. */
    number: z.int().min(1),
    appliedAt: z.iso.datetime(),
    appliedBy: z.string(),
    /** The host that it was applied on, where the pod came from there. */
    host: Name.optional(),
  }),
);
/** See the schema of the same name. */
export type PastRecord = z.infer<typeof PastRecord>;

/** Old records of one pod, oldest first; one file on its host. It may be lost. */
export const PodHistory = z.lazy(() =>
  z.strictObject({
    version: z.literal(HISTORY_VERSION),
    pod: Name,
    /** Number of the next record. */
    next: z.int().min(1),
    records: z.array(PastRecord).readonly(),
  }),
);
/** See the schema of the same name. */
export type PodHistory = z.infer<typeof PodHistory>;

/** One record of a pod: an old one, or the current one. */
export interface NumberedRecord extends PastRecord {
  readonly isCurrent: boolean;
}

/** Reads a history's text; never throws. */
export function parseHistory(text: string): VersionedReading<PodHistory> {
  return parseVersioned(text, HISTORY_VERSION, () => PodHistory);
}

/** The history of a pod that has none yet. */
export function emptyHistory(pod: string): PodHistory {
  return { version: HISTORY_VERSION, pod, next: 1, records: [] };
}

/** Whether two generations are the same thing applied; a move to another engine changes nothing of it. */
export function isSameMaking(one: RecordedGeneration, other: RecordedGeneration): boolean {
  return generationDigest(one) === generationDigest(other);
}

/**
 * The history with what was current until now. One that has it already stays as it is: whoever wrote it
 * was killed before the new generation became the current one.
 */
export function withPast(history: PodHistory, record: PodRecord): PodHistory {
  const current = currentOf(record);
  if (current === undefined || isNoted(history, current)) return history;
  const { secrets: _, ...made } = current;
  const past: PastRecord = { ...made, ...whenApplied(current, record), number: history.next };
  return {
    ...history,
    next: history.next + 1,
    records: [...history.records, past].slice(-HISTORY_MAX),
  };
}

/**
 * What a host that a pod moves to gets to know of what was applied to it before: all that the old host kept, and
 * what is current there.
 *
 * @returns undefined where there is nothing
 */
export function handedHistory(
  pod: string,
  history: PodHistory | undefined,
  record: PodRecord | undefined,
  host: string,
): PodHistory | undefined {
  const known = history ?? emptyHistory(pod);
  const all = record === undefined ? known : withPast(known, record);
  if (all.records.length === 0) return undefined;
  return { ...all, records: all.records.map((each) => ({ host, ...each })) };
}

/** All that is known to have been applied to a pod, newest first: the current record, then the old ones. */
export function numberedRecords(
  record: PodRecord | undefined,
  history: PodHistory | undefined,
): readonly NumberedRecord[] {
  const past = [...(history?.records ?? [])].reverse();
  const current = record === undefined ? undefined : currentOf(record);
  if (record === undefined || current === undefined)
    return past.map((each) => ({ ...each, isCurrent: false }));
  const isDouble = history !== undefined && isNoted(history, current);
  const older = isDouble ? past.slice(1) : past;
  const { secrets: _, ...made } = current;
  const number = isDouble ? history.next - 1 : (history?.next ?? 1);
  return [
    { ...made, ...whenApplied(current, record), number, isCurrent: true },
    ...older.map((each) => ({ ...each, isCurrent: false })),
  ];
}

/**
 * The record to go back to: the newest one that is something else than the current one.
 *
 * @param records newest first, as {@link numberedRecords} gives them
 */
export function previousRecord(records: readonly NumberedRecord[]): NumberedRecord | undefined {
  const current = records.find(({ isCurrent }) => isCurrent);
  return records.find(
    (each) =>
      !each.isCurrent &&
      (current === undefined || generationDigest(each) !== generationDigest(current)),
  );
}

/** When and by whom a generation of a record was applied; an old record says that of all of it at once. */
export function whenApplied(
  { appliedAt, appliedBy }: Pick<RecordedGeneration, "appliedAt" | "appliedBy">,
  record: Pick<PodRecord, "appliedAt" | "appliedBy">,
): Pick<PastRecord, "appliedAt" | "appliedBy"> {
  return {
    appliedAt: appliedAt ?? record.appliedAt,
    appliedBy: appliedBy ?? record.appliedBy,
  };
}

function currentOf({ current, generations }: PodRecord): RecordedGeneration | undefined {
  return generations.find(({ generation }) => generation === current);
}

function isNoted({ records }: PodHistory, current: RecordedGeneration): boolean {
  const last = records.at(-1);
  return (
    last !== undefined &&
    last.host === undefined &&
    last.generation === current.generation &&
    isSameMaking(last, current)
  );
}
