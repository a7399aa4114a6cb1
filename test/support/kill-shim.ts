import { listProcesses, parentOf, sendSignal } from "../../scripts/lib/process-table.ts";

/** What containerd runs a shim's program for beside the shim itself, each for a moment. */
const PASSING = ["start", "delete"];

/**
 * Kills the process through which containerd holds a task; the task's own process is not touched.
 *
 * @param namespace of containerd: pods of one name are in several at a time, each test's in its own
 */
export function killShim(namespace: string, id: string): void {
  const found = listProcesses().filter(
    ({ argv }) =>
      argv[0]?.includes("containerd-shim") === true &&
      argv.includes(namespace) &&
      argv.includes(id) &&
      !PASSING.includes(argv.at(-1) ?? ""),
  );
  // what a shim is about to run still has the shim's own argv
  const shims = found.filter(({ pid }) => !found.some((other) => other.pid === parentOf(pid)));
  if (shims.length !== 1) throw new Error(`${shims.length} shims hold ${id}, not one`);
  for (const { pid } of shims) sendSignal(pid, "SIGKILL");
}
