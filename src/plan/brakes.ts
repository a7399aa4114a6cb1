import { StowageError } from "../errors/index.ts";
import type { Plan, PodChange } from "./plan.ts";

/**
 * Refuses a plan that would remove more than half of the fleet's running pods. A pod that goes only once it
 * is proven on another host does not count.
 *
 * @param options.allowRemovals how many running pods may go all the same
 * @throws StowageError `failed_precondition` naming the pods
 */
export function brakes(plan: Plan, options: { readonly allowRemovals?: number } = {}): void {
  const removed = plan.pods
    .filter(({ action, interrupts }) => action === "remove" && interrupts)
    .filter((change) => !isProvenElsewhere(change))
    .map(({ id }) => id);
  const running = plan.hosts.reduce((sum, host) => sum + host.running, 0);
  const allowed = options.allowRemovals ?? Math.floor(running / 2);
  if (removed.length <= allowed) return;
  throw new StowageError(
    `Cannot apply the plan of fleet "${plan.fleet}": it would remove ${removed.length} of ${running} running pods (${removed.join(", ")}); if that is intended, use --allow-removals ${removed.length}`,
    { code: "failed_precondition" },
  );
}

/** One that goes only when it runs on another host takes nothing away. */
function isProvenElsewhere({ movesTo, pod, after }: PodChange): boolean {
  return movesTo !== undefined && after.includes(`${movesTo}/${pod}`);
}
