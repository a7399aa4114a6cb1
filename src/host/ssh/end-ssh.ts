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

const living = new Set<ChildProcess>();

/**
 * Has a program of ssh end with this process, whatever ends that: it may be waiting for a host that says
 * nothing, and would go on for as long as it has patience.
 */
export function endWithUs(child: ChildProcess): void {
  if (living.size === 0) process.on("exit", endAll);
  living.add(child);
  child.once("close", () => {
    living.delete(child);
    if (living.size === 0) process.off("exit", endAll);
  });
}

function endAll(): void {
  for (const child of living) endSsh(child, "SIGKILL");
}
