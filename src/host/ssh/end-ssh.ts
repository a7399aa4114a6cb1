import type { ChildProcess } from "node:child_process";

/** Ends a program of ssh, which leads a group, with what it started on the way to the host. */
export function endSsh({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // all of it has ended
  }
}
