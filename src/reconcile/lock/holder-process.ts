import { readFileSync, readlinkSync } from "node:fs";
import * as z from "zod";
import { startTicks } from "../../host/index.ts";

/** The process that holds a lock, in terms that only its own machine can judge. */
export const HolderProcess = z.lazy(() =>
  z.object({
    /** Of the machine that the process runs on, which need not be the host. */
    bootId: z.string(),
    pidNamespace: z.string(),
    pid: z.int(),
    /** Ticks from the machine's start to the process's own: tells it from a later one of its id. */
    startTicks: z.string(),
  }),
);
/** See the schema of the same name. */
export type HolderProcess = z.infer<typeof HolderProcess>;

/** This process; undefined where there is no /proc to tell. */
export function ownProcess(): HolderProcess | undefined {
  const machine = ownMachine();
  const startTicks = startTicksOf(process.pid);
  return machine === undefined || startTicks === undefined
    ? undefined
    : { ...machine, pid: process.pid, startTicks };
}

/**
 * Whether a process is known to have ended. One that is stopped is alive; one of another machine, or
 * of another container, cannot be judged from here and counts as alive.
 */
export function hasEnded(holder: HolderProcess): boolean {
  const machine = ownMachine();
  if (machine?.bootId !== holder.bootId || machine.pidNamespace !== holder.pidNamespace)
    return false;
  return startTicksOf(holder.pid) !== holder.startTicks;
}

function ownMachine(): Pick<HolderProcess, "bootId" | "pidNamespace"> | undefined {
  try {
    return {
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      pidNamespace: readlinkSync("/proc/self/ns/pid"),
    };
  } catch {
    return undefined;
  }
}

/** None for a dead one. */
function startTicksOf(pid: number): string | undefined {
  try {
    return startTicks(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}
