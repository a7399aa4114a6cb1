import { effectiveLogging, type Logging } from "../../model/index.ts";

/** Output of a container: like files, the oldest of which is dropped when there are too many. */
export interface SimLog {
  /** Number of the first line that is kept, counted from the first one ever. */
  first: number;
  /** `at` tells when each line was written, in milliseconds since 1970. */
  files: { bytes: number; lines: string[]; at: number[] }[];
}

/** Adds a line within the bounds that the declaration sets; drops it where nothing is kept. */
export function appendLine(
  log: SimLog | undefined,
  line: string,
  atMs: number,
  logging: Logging | undefined,
): SimLog | undefined {
  const { mode, maxBytes = 0, maxFiles = 1 } = effectiveLogging(logging);
  if (mode === "none") return log;
  const kept = log ?? { first: 0, files: [] };
  const bytes = Buffer.byteLength(line) + 1;
  const last = kept.files.at(-1);
  if (last === undefined || (last.bytes > 0 && last.bytes + bytes > maxBytes)) {
    kept.files.push({ bytes, lines: [line], at: [atMs] });
  } else {
    last.bytes += bytes;
    last.lines.push(line);
    last.at.push(atMs);
  }
  while (kept.files.length > maxFiles) kept.first += kept.files.shift()?.lines.length ?? 0;
  return kept;
}

/** Lines from a number on; those that are gone already are left out. */
export function linesFrom(log: SimLog | undefined, from: number): readonly string[] {
  if (log === undefined) return [];
  const lines = log.files.flatMap((file) => file.lines);
  return lines.slice(Math.max(0, from - log.first));
}

/** Number of the first line that was written at a moment or later; or the next one's. */
export function lineSince(log: SimLog | undefined, atMs: number): number {
  if (log === undefined) return 0;
  const before = log.files.flatMap(({ at }) => at).findLastIndex((each) => each < atMs);
  return log.first + before + 1;
}

/** Number that the next line will have. */
export function nextLine(log: SimLog | undefined): number {
  if (log === undefined) return 0;
  return log.files.reduce((count, file) => count + file.lines.length, log.first);
}
