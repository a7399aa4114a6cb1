/** Milliseconds that a call has when its caller names none. */
const ORDINARY_MS = 30_000;

/**
 * A task that is being created when its client leaves can leave a shim behind that nothing lists, and
 * its id may never be usable again: this call gets time enough for any working runtime.
 */
const CREATE_TASK_MS = 300_000;

const BY_METHOD: ReadonlyMap<string, number> = new Map([
  ["containerd.services.tasks.v1.Tasks/Create", CREATE_TASK_MS],
  ["containerd.services.tasks.v1.Tasks/Start", 120_000],
  ["containerd.services.tasks.v1.Tasks/Delete", 60_000],
  // each hung shim adds two seconds to the list, one after the other
  ["containerd.services.tasks.v1.Tasks/List", 120_000],
  ["containerd.services.tasks.v1.Tasks/Wait", Number.POSITIVE_INFINITY],
  ["containerd.services.events.v1.Events/Subscribe", Number.POSITIVE_INFINITY],
  ["containerd.services.diff.v1.Diff/Apply", 1_800_000],
  ["containerd.services.snapshots.v1.Snapshots/Prepare", 120_000],
  ["containerd.services.snapshots.v1.Snapshots/Commit", 300_000],
  ["containerd.services.snapshots.v1.Snapshots/Remove", 120_000],
  ["containerd.services.images.v1.Images/Delete", 120_000],
  ["containerd.services.leases.v1.Leases/Delete", 120_000],
  ["containerd.services.containers.v1.Containers/ListStream", 120_000],
  ["containerd.services.content.v1.Content/Read", 600_000],
  // an upload takes as long as its source: each answer is timed instead
  ["containerd.services.content.v1.Content/Write", Number.POSITIVE_INFINITY],
]);

/** Calls that are never cancelled once sent: their signal counts only before. */
const NEVER_CANCELLED: ReadonlySet<string> = new Set(["containerd.services.tasks.v1.Tasks/Create"]);

/** Milliseconds that a method has by default, `rpc` being `package.Service/Method`. */
export function defaultDeadlineMs(rpc: string): number {
  return BY_METHOD.get(rpc) ?? ORDINARY_MS;
}

/** Whether a call of this method may be given up while the daemon works on it. */
export function isCancellable(rpc: string): boolean {
  return !NEVER_CANCELLED.has(rpc);
}
