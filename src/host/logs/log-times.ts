import type { HostCallOptions, HostReader } from "../host.ts";

/** A byte of a container's numbered files. */
export interface LogPosition {
  readonly file: string;
  readonly offset: number;
}

/** From a byte of a file on all was written in this second or later. */
interface TimeMark {
  readonly offset: number;
  readonly second: number;
}

/** So much of the newest times is read first: enough while nothing new comes. */
const NEWEST_BYTES = 4096;

const MARK = /^(\d+) (\d+)$/;

/**
 * Where that begins which was written since a moment: behind the newest mark that is older. What has no mark, as
 * it could not be written, counts as new.
 *
 * @param files numbered files, oldest first
 * @returns undefined when nothing was written since
 */
export async function positionSince(
  host: HostReader,
  directory: string,
  files: readonly string[],
  sinceMs: number,
  options: HostCallOptions,
): Promise<LogPosition | undefined> {
  let found: LogPosition | undefined;
  for (const file of [...files].reverse()) {
    const marks = await marksAround(host, `${directory}/${timesName(file)}`, sinceMs, options);
    const older = lastOlder(marks, sinceMs);
    const next = marks[older + 1];
    if (older >= 0) return next === undefined ? found : { file, offset: next.offset };
    found = { file, offset: 0 };
  }
  return found;
}

/** Name of the file with the times of a numbered one. */
function timesName(file: string): string {
  return file.replace(/\.log$/, ".times");
}

/** Where the second in which the moment lies is not over it may be as new. */
function lastOlder(marks: readonly TimeMark[], sinceMs: number): number {
  return marks.findLastIndex(({ second }) => (second + 1) * 1000 <= sinceMs);
}

/** The newest marks, down to one that is older than a moment where there is any. */
async function marksAround(
  host: HostReader,
  path: string,
  sinceMs: number,
  options: HostCallOptions,
): Promise<readonly TimeMark[]> {
  const { size = 0 } = (await host.inspect(path, options)) ?? {};
  const newest = await readMarks(host, path, Math.max(0, size - NEWEST_BYTES), options);
  if (size <= NEWEST_BYTES || lastOlder(newest, sinceMs) >= 0) return newest;
  return await readMarks(host, path, 0, options);
}

async function readMarks(
  host: HostReader,
  path: string,
  from: number,
  options: HostCallOptions,
): Promise<readonly TimeMark[]> {
  const parts: Buffer[] = [];
  for (let offset = from; ; ) {
    const stretch = await host.readFileFrom(path, offset, options);
    if (stretch === undefined || stretch.bytes.byteLength === 0) break;
    parts.push(Buffer.from(stretch.bytes));
    offset = stretch.nextOffset;
  }
  const lines = Buffer.concat(parts).toString("latin1").split("\n");
  // one without its end is being written, and its number may be cut, as that of the first may
  lines.pop();
  if (from > 0) lines.shift();
  return lines.flatMap((line) => {
    const [, offset, second] = MARK.exec(line) ?? [];
    return offset === undefined ? [] : [{ offset: Number(offset), second: Number(second) }];
  });
}
