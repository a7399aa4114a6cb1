import type { RecordedGeneration } from "../model/index.ts";
import { podsOnHost } from "./observed-pods.ts";
import type { FleetIdentity, PodChange, Step } from "./plan.ts";
import type { HostObservation } from "./plan-input.ts";
import { mayRun } from "./pod-context.ts";
import { commitStep, startSteps } from "./steps.ts";

/**
 * The steps that lead from what is observed after a failed change back to the generation that was
 * proven before: the ordinary plan with the old record as desired.
 *
 * @param own the fleet as it is declared now; the old generation may be of its former name
 * @returns no steps when there is nothing to go back to
 */
export function planRollback(
  change: PodChange,
  observation: HostObservation,
  own: FleetIdentity,
): readonly Step[] {
  const { from, to, fresh, origin } = change;
  if (from === undefined) return [];
  const old = podsOnHost(observation).find(
    ({ pod }) =>
      pod.generation === from.generation &&
      pod.pod === change.pod &&
      [origin, own].some(({ owner, fleet }) => pod.owner === owner && pod.fleet === fleet),
  );
  if (old === undefined) return [];
  const steps: Step[] = [];
  if (to !== undefined && to.generation !== from.generation) {
    steps.push(
      { kind: "stop", generation: to.generation },
      { kind: "remove", generation: to.generation },
    );
  } else if (fresh === undefined) {
    if (mayRun(old.pod)) steps.push({ kind: "stop", generation: from.generation });
    steps.push({
      kind: "update",
      generation: from.generation,
      paths: change.reasons.map(({ path }) => path),
    });
  }
  return [
    ...steps,
    ...startSteps(from.generation, old.engine),
    commitStep(from.generation, keptOf(change, from)),
  ];
}

/** What the change leaves in other engines anyhow. */
function keptOf({ steps }: PodChange, { generation }: RecordedGeneration) {
  const commit = steps.find((step) => step.kind === "commit");
  return (commit?.keep ?? []).filter((each) => each.generation !== generation);
}
