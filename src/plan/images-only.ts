import type { Plan } from "./plan.ts";

/** The part of a plan that brings images to its hosts: no pod is touched, and nothing is released. */
export function imagesOnly(plan: Plan): Plan {
  const changes = plan.hostChanges.filter(({ action }) =>
    ["import", "claim", "unreachable"].includes(action),
  );
  return { ...plan, pods: [], hostChanges: changes };
}
