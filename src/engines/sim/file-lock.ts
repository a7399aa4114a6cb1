import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from "node:fs";
import { startTicks } from "../../host/index.ts";

const EMPTY_STALE_MS = 2000;

/**
 * Takes a lock file made for this process alone, and says whether it did.
 *
 * One whose process is gone is removed first. Release it with {@link releaseFileLock}; hold it for
 * synchronous work only.
 */
export function tryFileLock(path: string): boolean {
  if (create(path)) return true;
  if (isStale(path)) breakLock(path);
  return create(path);
}

/** Gives up a lock that this process holds. */
export function releaseFileLock(path: string): void {
  unlinkSync(path);
}

// Only who holds the second file may remove a stale lock: a check and a removal by two processes at
// once could otherwise remove the lock that the faster one has just taken.
function breakLock(path: string): void {
  const guard = `${path}.break`;
  if (!create(guard)) {
    if (isStale(guard)) unlinkIfThere(guard);
    return;
  }
  try {
    if (isStale(path)) unlinkIfThere(path);
  } finally {
    unlinkIfThere(guard);
  }
}

function create(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
  writeSync(file, `${process.pid} ${startTime(process.pid) ?? ""}`);
  closeSync(file);
  return true;
}

function isStale(path: string): boolean {
  try {
    const [pid = "", started = ""] = readFileSync(path, "utf8").split(" ");
    if (pid === "") return Date.now() - statSync(path).mtimeMs > EMPTY_STALE_MS;
    if (!isAlive(Number(pid))) return true;
    const now = startTime(Number(pid));
    return started !== "" && now !== undefined && now !== started;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

// Tells a process from a later one of the same number; only where there is /proc.
function startTime(pid: number): string | undefined {
  try {
    return startTicks(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
