import { type PodSpec, writableVolumes } from "../model/index.ts";
import type { PodChange } from "./plan.ts";
import { appliedSpec, type PodContext } from "./pod-context.ts";

/**
 * A new pod that writes to what a pod that is removed writes to begins after it, as when a pod gets another name:
 * the two would have the same data open.
 *
 * @param add has the change of the first id wait for that of the second
 */
export function addVolumeHandovers(
  changes: readonly PodChange[],
  contexts: ReadonlyMap<string, PodContext>,
  add: (id: string, before: string) => void,
): void {
  const leaving = new Map<string, string[]>();
  for (const { id, host, action } of changes) {
    if (action !== "remove") continue;
    for (const data of dataOf(host, appliedSpec(contexts.get(id)))) {
      leaving.set(data, [...(leaving.get(data) ?? []), id]);
    }
  }
  if (leaving.size === 0) return;
  // what is there already shares it with that pod on purpose
  for (const { id, host } of changes.filter(({ action }) => action === "create")) {
    for (const data of dataOf(host, contexts.get(id)?.desired?.spec)) {
      for (const before of leaving.get(data) ?? []) add(id, before);
    }
  }
}

/** What a pod writes to, by a name for it that all pods of the fleet share. */
function dataOf(host: string, spec: PodSpec | undefined): readonly string[] {
  if (spec === undefined) return [];
  return writableVolumes(spec).flatMap((name) => {
    const volume = spec.volumes?.[name];
    if (volume?.kind === "named") return [`${host} named ${volume.name}`];
    return volume?.kind === "bind" ? [`${host} bind ${volume.path}`] : [];
  });
}
