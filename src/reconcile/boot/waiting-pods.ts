import { objectName, type PodIdentity } from "../../model/index.ts";
import type { HostObservation, PodChange } from "../../plan/index.ts";

const NO_SECRETS =
  "its secret files were lost from the host's memory; stowage apply writes them again and starts the pod";

/** Those of the pods to be started that cannot be yet, and why. */
export function waitingPods(
  changes: readonly PodChange[],
  { files }: Pick<HostObservation, "files">,
): ReadonlyMap<string, string> {
  const waiting = new Map<string, string>();
  for (const change of changes) {
    const drift = files?.drift.get(objectName(identityOf(change))) ?? [];
    if (drift.some(({ secret }) => secret === true)) waiting.set(change.id, NO_SECRETS);
  }
  for (let before = -1; before !== waiting.size; ) {
    before = waiting.size;
    for (const { id, after } of changes) {
      const first = after.find((each) => waiting.has(each));
      if (first !== undefined && !waiting.has(id)) waiting.set(id, `it comes after ${first}`);
    }
  }
  return waiting;
}

function identityOf({ origin, pod, to }: PodChange): PodIdentity {
  return { ...origin, pod, generation: to?.generation ?? 0 };
}
