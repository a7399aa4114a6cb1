import * as z from "zod";
import type { HostSnapshot } from "../../host/index.ts";
import { HolderProcess, hasEnded } from "./holder-process.ts";

/** What the file of a lock's number says. */
export const LockFile = z.lazy(() =>
  z.object({
    number: z.int().min(1),
    /** Tells one holder from any other. */
    nonce: z.string(),
    /** Who holds it, for people: `user@machine (pid 12)`. */
    owner: z.string(),
    /** UTC, ISO 8601, by the holder's clock: for people. */
    since: z.string(),
    /** By the monotonic clock of the host. */
    expiresAtMonotonicMs: z.number(),
    bootId: z.string(),
    /** Given back: nothing that its holder began still runs. */
    released: z.boolean().optional(),
    process: HolderProcess.optional(),
  }),
);
/** See the schema of the same name. */
export type LockFile = z.infer<typeof LockFile>;

/** The highest number of a lock and who has it. */
export interface LockState {
  /** 0 when nobody ever had it since the host started. */
  readonly number: number;
  /** Absent when there is none, or its file cannot be read. */
  readonly file?: LockFile;
  readonly isHeld: boolean;
  /** Names of files that no lock needs any more. */
  readonly stale: readonly string[];
  /** The host's clock when it was read. */
  readonly monotonicMs: number;
  readonly bootId: string;
}

/** What to read of a host to know its lock. */
export function lockRequest(lockDir: string) {
  return { list: [lockDir], files: [`${lockDir}/*.json`] };
}

/** Path of the file of a number. */
export function lockPath(lockDir: string, number: number): string {
  return `${lockDir}/${number}.json`;
}

/** The highest number among names in a lock's directory. */
export function highestNumber(names: readonly string[] | undefined): number {
  return Math.max(0, ...(names ?? []).map(numberOf));
}

/** Who holds a lock, judged by the host's own clock; a holder that is known to be dead holds none. */
export function readLockState(snapshot: HostSnapshot, lockDir: string): LockState {
  const { monotonicMs, bootId } = snapshot;
  const names = snapshot.entries.get(lockDir) ?? [];
  const number = highestNumber(names);
  const file = parseLockFile(snapshot.files.get(lockPath(lockDir, number)));
  const stale = names.filter((name) => {
    // also what a killed process left of making a number that is taken since
    const made = /^\.(\d+)\.json\..*tmp$/.exec(name)?.[1] ?? String(numberOf(name) || number + 1);
    return Number(made) <= number && name !== `${number}.json`;
  });
  const isHeld =
    number > 0 &&
    (file === undefined ||
      (file.released !== true &&
        file.bootId === bootId &&
        file.expiresAtMonotonicMs > monotonicMs &&
        (file.process === undefined || !hasEnded(file.process))));
  return { number, ...(file === undefined ? {} : { file }), isHeld, stale, monotonicMs, bootId };
}

/** Who holds a lock and since when, for people. */
export function describeHolder({ file }: Pick<LockState, "file">): string {
  if (file === undefined) return "somebody whose lock file cannot be read";
  return `${file.owner} since ${file.since}`;
}

function numberOf(name: string): number {
  return Number(/^(\d{1,15})\.json$/.exec(name)?.[1] ?? 0);
}

function parseLockFile(text: string | Error | undefined): LockFile | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return LockFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
