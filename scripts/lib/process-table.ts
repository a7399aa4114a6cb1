import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** One process of this machine. */
export interface ProcessEntry {
  readonly pid: number;
  readonly argv: readonly string[];
}

/** All processes that can be read; kernel threads and zombies have an empty argv. */
export function listProcesses(): ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), argv: readArgv(Number(name)) }));
}

/** Argv of a process, empty when it is gone. */
export function readArgv(pid: number): string[] {
  return (readProc(pid, "cmdline") ?? "").split("\0").slice(0, -1);
}

/**
 * A mark that tells this process from a later one of the same number, or undefined when there is none.
 *
 * A zombie counts as gone. Source: fields 3 (state) and 22 (starttime) of proc_pid_stat(5).
 */
export function processMark(pid: number): string | undefined {
  const [state, ...fields] = statusOf(pid);
  const startedAt = fields[18];
  if (startedAt === undefined || state === "Z") return undefined;
  return `${pid}:${startedAt}`;
}

/** The process that started this one or took it over, or undefined when there is none. */
export function parentOf(pid: number): number | undefined {
  const parent = statusOf(pid)[1];
  return parent === undefined ? undefined : Number(parent);
}

/** Ends a process with SIGTERM, and with SIGKILL when it has not gone after `graceMs`. */
export async function endProcess(pid: number, graceMs: number): Promise<void> {
  const mark = processMark(pid);
  if (mark === undefined) return;
  for (const [signal, waitMs] of [
    ["SIGTERM", graceMs],
    ["SIGKILL", 5_000],
  ] as const) {
    if (!sendSignal(pid, signal)) return;
    const deadline = Date.now() + waitMs;
    while (processMark(pid) === mark && Date.now() < deadline) await delay(20);
    if (processMark(pid) !== mark) return;
  }
}

/** Whether the signal was delivered: false when the process is gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** The fields of proc_pid_stat(5) from the third on, none when the process is gone. */
function statusOf(pid: number): string[] {
  const stat = readProc(pid, "stat");
  // the second field is the name in brackets, which may hold spaces and brackets itself
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
