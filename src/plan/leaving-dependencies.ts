import { podDependency } from "../model/index.ts";
import type { PodChange } from "./plan.ts";
import { appliedSpec, type PodContext } from "./pod-context.ts";
import { reaches } from "./reaches.ts";

/**
 * A pod goes after those that were applied as depending on it have changed: they use another one by then, or are gone.
 * Where one waits for it already, as who takes its port over does, it waits for nobody. What was done for others
 * once is not needed by them any more.
 */
export function orderRemovals(
  changes: readonly PodChange[],
  contexts: ReadonlyMap<string, PodContext>,
  after: ReadonlyMap<string, Set<string>>,
): void {
  const leaving = new Set(changes.filter(({ action }) => action === "remove").map(({ id }) => id));
  if (leaving.size === 0) return;
  for (const { id, host } of changes) {
    for (const reference of appliedSpec(contexts.get(id))?.dependsOn ?? []) {
      const { id: other, condition } = podDependency(reference, host);
      if (condition === "completed" || other === id || !leaving.has(other)) continue;
      if (!reaches(after, id, other)) after.get(other)?.add(id);
    }
  }
}
