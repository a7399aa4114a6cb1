import { StowageError } from "../errors/index.ts";
import { goesWhenProven } from "./host-moves.ts";
import type { Plan } from "./plan.ts";

/**
 * Refuses a plan that would remove more than half of the fleet's running pods. What moves to another host, and goes
 * only when it is proven there, is not removed.
 *
 * @param options.allowRemovals how many running pods may go all the same
 * @throws StowageError `failed_precondition` naming the pods
 */
export function brakes(plan: Plan, options: { readonly allowRemovals?: number } = {}): void {
  const removed = plan.pods
    .filter((change) => change.action === "remove" && change.interrupts)
    .filter((change) => !goesWhenProven(change))
    .map(({ id }) => id);
  const running = plan.hosts.reduce((sum, host) => sum + host.running, 0);
  const allowed = options.allowRemovals ?? Math.floor(running / 2);
  if (removed.length <= allowed) return;
  throw new StowageError(
    `Cannot apply the plan of fleet "${plan.fleet}": it would remove ${removed.length} of ${running} running pods (${removed.join(", ")}); if that is meant, say --allow-removals ${removed.length}`,
    { code: "failed_precondition" },
  );
}
