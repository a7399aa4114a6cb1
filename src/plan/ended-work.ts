import { runsOnce } from "../model/index.ts";
import type { HostPlan } from "./plan.ts";
import { currentGeneration, type PodContext } from "./pod-context.ts";
import { completedContainers } from "./state-reasons.ts";

/**
 * Said of every plan: what has done its work does not run, and nothing is planned for it. Of what runs
 * before the others of its pod that goes without saying.
 */
export function endedPart(contexts: readonly PodContext[]): Pick<HostPlan, "ended"> {
  const ended = contexts.flatMap((context) => {
    const current = currentGeneration(context);
    if (context.desired === undefined || current === undefined) return [];
    const { spec } = context.desired;
    return completedContainers(spec, current)
      .filter((name) => !runsOnce(spec, name))
      .map((name) => `${context.pod}/${name}`);
  });
  return ended.length === 0 ? {} : { ended };
}
