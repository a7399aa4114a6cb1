import type { PodChange } from "./plan.ts";
import { appliedSpec, type PodContext } from "./pod-context.ts";

/**
 * Says of pods that are removed what becomes of their records, where a pod of their name is on another host already:
 * whoever moved it there did so without reaching both. Pods of a service have one name on purpose.
 */
export function withLostRecords(
  changes: readonly PodChange[],
  contexts: ReadonlyMap<string, PodContext>,
): readonly PodChange[] {
  const gone = changes.filter(({ id, action, movesTo }) => {
    const spec = appliedSpec(contexts.get(id));
    return action === "remove" && movesTo === undefined && spec !== undefined && !spec.service;
  });
  if (gone.length === 0) return changes;
  const names = new Set(gone.map(({ pod }) => pod));
  const places = new Map<string, string>();
  for (const { pod, host, desired } of contexts.values())
    if (desired !== undefined && names.has(pod)) places.set(pod, host);
  return changes.map((change) => {
    const host = places.get(change.pod);
    if (host === undefined || !gone.includes(change)) return change;
    const note = `its history is kept only here, and is removed with it: ${host} has a pod of that name already`;
    return { ...change, notes: [...change.notes, note] };
  });
}
