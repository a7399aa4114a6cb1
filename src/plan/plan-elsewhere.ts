import { engineName } from "../model/index.ts";
import { frame, keptTarget } from "./change-frame.ts";
import type { PodChange, Reason, ResolvedPod, Step } from "./plan.ts";
import {
  currentGeneration,
  isKept,
  keptElsewhere,
  mayRun,
  type PlacedPod,
  type PodContext,
} from "./pod-context.ts";
import { commitStep, keptEntries, stopStep, sweepPlaced } from "./steps.ts";

/**
 * Adds to a pod's change what has to be done to its generations in other engines: those that nobody
 * wants there any more go first, and the record comes to name only those that stay.
 *
 * @param change what has to be done in the declared engine, if anything
 */
export function withElsewhere(
  context: PodContext,
  desired: ResolvedPod,
  change: PodChange | undefined,
): PodChange | undefined {
  const { elsewhere, record } = context;
  if (elsewhere.length === 0 && record?.kept === undefined) return change;
  const kept = keptElsewhere(context);
  const swept = elsewhere.filter((each) => !kept.includes(each));
  const keep = keptEntries(kept);
  const isStale = (record?.kept?.length ?? 0) !== keep.length;
  const first = [...sweepPlaced(swept), ...kept.filter(({ pod }) => mayRun(pod)).map(stopStep)];
  if (change === undefined && first.length === 0 && !isStale) return undefined;
  const own = (change?.steps ?? []).map(
    (step): Step => (step.kind === "commit" ? commitStep(step.generation, keep) : step),
  );
  const current = currentGeneration(context);
  const commits = own.some(({ kind }) => kind === "commit");
  const last =
    isStale && !commits && current !== undefined ? [commitStep(current.generation, keep)] : [];
  const steps = [...first, ...own, ...last];
  const reasons = elsewhereReasons(context, swept);
  if (change !== undefined) return { ...change, steps, reasons: [...change.reasons, ...reasons] };
  const to = current === undefined ? {} : { to: keptTarget(context, desired, current.generation) };
  return { ...frame(context, "clean", reasons, steps), interrupts: false, ...to, notes: [] };
}

function elsewhereReasons(context: PodContext, swept: readonly PlacedPod[]): readonly Reason[] {
  const { config } = context.observation;
  const found = swept.map(({ engine, pod }) => {
    const place = `generation ${pod.generation} in ${engineName(engine, config)}`;
    const isOurs = isKept(context, { engine, pod });
    return isOurs
      ? `its old ${place} was kept, and is removed without --keep-old`
      : `its ${place} is left over from an interrupted apply`;
  });
  const gone = (context.record?.kept ?? []).filter(
    (each) => !context.elsewhere.some(({ pod }) => pod.generation === each.generation),
  );
  const texts = [
    ...found,
    ...gone.map(({ generation }) => `its kept generation ${generation} is gone`),
  ];
  return texts.map((text) => ({ kind: "leftover", path: "", verdict: "none", text }));
}
