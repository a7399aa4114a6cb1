import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FileContent, HostSnapshot, SnapshotRequest } from "../host.ts";
import { expandPath } from "./expand-path.ts";
import { fileError, isAbsent } from "./file-error.ts";
import { freeSpaceAt } from "./free-space.ts";
import { readListeningPorts } from "./listening-ports.ts";
import { programStamp } from "./program-stamp.ts";
import { readContentSync } from "./read-content.ts";
import { readTextSync } from "./read-text.ts";
import { programSearchPath } from "./run-program.ts";

/** Files read in one turn of the event loop: half a millisecond, in which no engine is heard. */
const FILES_AT_ONCE = 32;

/** What this machine looks like now. */
export async function takeSnapshot(
  request: SnapshotRequest,
  signal: AbortSignal | undefined,
): Promise<HostSnapshot> {
  signal?.throwIfAborted();
  const files = await readEach(request.files, readTextSync, signal);
  const contents = await readEach<FileContent | Error>(request.contents, readContentSync, signal);
  const entries = new Map<string, readonly string[]>();
  for (const path of request.list ?? []) {
    const names = listDirectory(path);
    if (names !== undefined) entries.set(path, names);
  }
  return {
    files,
    existing: new Set((request.exist ?? []).filter((path) => existsSync(path))),
    dangling: new Set((request.links ?? []).filter(leadsNowhere)),
    entries,
    contents,
    space: spaceOf(request.space),
    user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    listening: request.listening === true ? readListeningPorts() : [],
    programs: stampsOf(request.programs),
    monotonicMs: monotonicMs(),
    bootId: readBootId(),
  };
}

async function readEach<T>(
  patterns: readonly string[] = [],
  read: (path: string) => T | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, T>> {
  const found = new Map<string, T>();
  for (const [at, path] of patterns.flatMap(expandPath).entries()) {
    if (at % FILES_AT_ONCE === FILES_AT_ONCE - 1) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    const content = read(path);
    if (content !== undefined) found.set(path, content);
  }
  return found;
}

function leadsNowhere(path: string): boolean {
  if (existsSync(path)) return false;
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    // nothing is there, or what is above it is in the way
    return false;
  }
}

function spaceOf(paths: readonly string[] = []): HostSnapshot["space"] {
  return new Map(
    paths.flatMap((path) => {
      const found = freeSpaceAt(path);
      return found === undefined ? [] : [[path, found] as const];
    }),
  );
}

function stampsOf(programs: readonly string[] = []): HostSnapshot["programs"] {
  return new Map(
    programs.flatMap((program) => {
      const stamp = programStamp(program, programSearchPath());
      return stamp === undefined ? [] : [[program, stamp] as const];
    }),
  );
}

function listDirectory(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fileError(error, "list directory", path);
  }
}

let bootId: string | undefined;

/** Read once: a process does not outlive its boot. */
function readBootId(): string {
  bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return bootId;
}

/** CLOCK_MONOTONIC: the same for every process of the machine. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
