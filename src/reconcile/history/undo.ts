import { type FleetManifest, type NumberedRecord, previousRecord } from "../../model/index.ts";
import type { ServicePod } from "../../plan/index.ts";
import { inService, type RollbackTarget } from "./rollback.ts";

/** Where a pod of a service is to be after its rollout was undone. */
export interface UndoTarget extends RollbackTarget {
  /** It runs what the rollout brought; the others stay with what was applied last, or come back to it. */
  readonly goesBack: boolean;
}

/** What the undoing of a rollout is made of. */
export interface UndoTargets {
  readonly targets: readonly UndoTarget[];
  /** Pods that have nothing to go back to: nothing is done to them. */
  readonly without: readonly ServicePod[];
}

/**
 * Where each pod of a service goes. Only one that is not behind its declaration goes back, so that an
 * undo that was killed is continued by the next, and one that is done is not undone itself.
 *
 * @param recordsOf what a host keeps of its pods, newest first
 */
export function undoTargets(
  manifest: FleetManifest,
  pods: readonly ServicePod[],
  recordsOf: (pod: ServicePod) => readonly NumberedRecord[],
): UndoTargets {
  const targets: UndoTarget[] = [];
  const without: ServicePod[] = [];
  for (const each of pods) {
    const declared = manifest.hosts[each.host]?.pods?.[each.pod];
    const records = inService(recordsOf(each), declared);
    const from = records.find(({ isCurrent }) => isCurrent);
    const to = each.behind ? from : previousRecord(records);
    if (from === undefined || to === undefined) without.push(each);
    else targets.push({ host: each.host, pod: each.pod, goesBack: !each.behind, from, to });
  }
  const left = new Set(without.map(({ host }) => host));
  return { targets: targets.filter(({ host }) => !left.has(host)), without };
}
