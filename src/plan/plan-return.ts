import { generationDigest, type PodRecord } from "../model/index.ts";
import type { PodChange } from "./plan.ts";
import type { HostObservation } from "./plan-input.ts";
import { planPod } from "./pod-change.ts";

/** A pod after a change of it that was done, and what has to be known to take it back. */
export interface DoneChange {
  readonly change: PodChange;
  /** Looked at after the change. */
  readonly observation: HostObservation;
  /** As the change left it. */
  readonly record: PodRecord;
}

/**
 * The change that leads a pod back to what ran before another one: the ordinary plan with the old record as
 * desired. What goes back is a new generation where the old one is gone.
 *
 * @returns undefined where there was nothing before, where the pod came from another engine, and where it is
 *   back already
 */
export function planReturn({ change, observation, record }: DoneChange): PodChange | undefined {
  const { from, host, pod } = change;
  if (from === undefined || change.action === "move-engine" || record.kept !== undefined)
    return undefined;
  const { owner, fleet } = record;
  const generations = observation.engine.pods
    .filter((each) => each.owner === owner && each.fleet === fleet && each.pod === pod)
    .sort((a, b) => a.generation - b.generation);
  return planPod({
    host,
    pod,
    declared: { owner, fleet, host },
    observation,
    desired: { spec: from.spec, images: from.images },
    desiredDigest: generationDigest(from),
    record,
    generations,
    elsewhere: [],
    keepOld: false,
  });
}
