import type { PodChange, Step } from "./plan.ts";
import type { HostObservation } from "./plan-input.ts";
import { mayRun } from "./pod-context.ts";
import { startSteps } from "./steps.ts";

/**
 * The steps that lead from what is observed after a failed change back to the generation that was
 * proven before: the ordinary plan with the old record as desired.
 *
 * @returns no steps when there is nothing to go back to
 */
export function planRollback(change: PodChange, observation: HostObservation): readonly Step[] {
  const { from, to, fresh, origin } = change;
  if (from === undefined) return [];
  const made = observation.engine.pods.filter(
    ({ pod, fleet, owner }) =>
      pod === change.pod && fleet === origin.fleet && owner === origin.owner,
  );
  const old = made.find(({ generation }) => generation === from.generation);
  if (old === undefined) return [];
  const steps: Step[] = [];
  if (to !== undefined && to.generation !== from.generation) {
    steps.push(
      { kind: "stop", generation: to.generation },
      { kind: "remove", generation: to.generation },
    );
  } else if (fresh === undefined) {
    if (mayRun(old)) steps.push({ kind: "stop", generation: from.generation });
    steps.push({
      kind: "update",
      generation: from.generation,
      paths: change.reasons.map(({ path }) => path),
    });
  }
  return [
    ...steps,
    ...startSteps(from.generation),
    { kind: "commit", generation: from.generation },
  ];
}
