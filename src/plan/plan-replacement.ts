import { handsPortsOver, type ObservedPod, stopsFirst } from "../model/index.ts";
import { frame, provenGeneration, target } from "./change-frame.ts";
import { notesFor } from "./change-notes.ts";
import { staleReasons } from "./change-reasons.ts";
import type { PodChange, Reason, ResolvedPod } from "./plan.ts";
import { mayRun, nextGeneration, type PodContext, recorded } from "./pod-context.ts";
import { createSteps, sweepSteps } from "./steps.ts";

/** A new generation in place of the current one, which stays until the new one is proven. */
export function planReplacement(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod,
  reasons: readonly Reason[],
): PodChange {
  const generation = nextGeneration(context);
  const applied = recorded(context, current.generation);
  const isWhole = current.state !== "incomplete";
  const from = isWhole ? provenGeneration(context, current.generation) : undefined;
  const stale = context.generations.filter((each) => each !== current);
  const stopFirst = applied === undefined || stopsFirst(applied.spec, desired.spec);
  const swept = isWhole ? stale : context.generations;
  const hands = handsPortsOver(applied?.spec, desired.spec);
  const replaced = isWhole
    ? { old: { pod: current }, stopFirst, handsPortsOver: hands }
    : undefined;
  const steps = [...sweepSteps(swept), ...createSteps(desired.spec, context, generation, replaced)];
  return {
    ...frame(context, "replace", [...reasons, ...staleReasons(context, stale)], steps),
    interrupts: mayRun(current) && stopFirst,
    fresh: generation,
    to: target(context, desired, generation),
    ...(from === undefined ? {} : { from }),
    notes: notesFor(context, desired, current),
  };
}
