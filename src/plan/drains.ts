import { drains } from "../model/index.ts";
import type { PodChange, Step } from "./plan.ts";
import { mayRun, type PodContext, podsOf, recorded } from "./pod-context.ts";

/** A change that drains what it stops, as that was applied and not as it is declared now. */
export function withDrains(context: PodContext, change: PodChange): PodChange {
  const drained = new Set(
    podsOf(context).flatMap((pod) => {
      const spec = recorded(context, pod.generation)?.spec;
      return spec !== undefined && drains(spec).length > 0 && mayRun(pod) ? [pod.generation] : [];
    }),
  );
  if (drained.size === 0) return change;
  const committed = change.steps.findIndex(({ kind }) => kind === "commit");
  const steps = change.steps.flatMap((step, index): readonly Step[] => {
    if (step.kind !== "stop" || !drained.has(step.generation)) return [step];
    // once another one is recorded, nothing is known any more of one that was never proven
    const isForgotten = committed >= 0 && index > committed;
    if (isForgotten && step.generation !== change.from?.generation) return [step];
    return [{ ...step, kind: "drain" }, step];
  });
  return { ...change, steps };
}
