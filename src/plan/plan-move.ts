import { engineName, handsPortsOver, type RecordedGeneration, stopsFirst } from "../model/index.ts";
import { frame, provenGeneration, target } from "./change-frame.ts";
import { notesFor } from "./change-notes.ts";
import { staleReasons } from "./change-reasons.ts";
import { declaredReasons } from "./compare.ts";
import { lossesOf } from "./losses.ts";
import type { Loss, PodChange, Reason, ResolvedPod, Step } from "./plan.ts";
import { adoptable } from "./plan-adoption.ts";
import {
  keptElsewhere,
  mayRun,
  nextGeneration,
  type PlacedPod,
  type PodContext,
  recorded,
} from "./pod-context.ts";
import { createSteps, freshSteps, keptEntries, sweepPlaced, sweepSteps } from "./steps.ts";

/**
 * A new generation in the declared engine in place of one in another engine of the host, which stays
 * there until the new one is proven. One that a move which was interrupted has made already is gone on
 * with.
 */
export function planMove(context: PodContext, desired: ResolvedPod, old: PlacedPod): PodChange {
  const made = adoptable(context);
  const generation = made?.generation ?? nextGeneration(context);
  const applied = recorded(context, old.pod.generation);
  const stopFirst = applied === undefined || stopsFirst(applied.spec, desired.spec);
  const stale = context.generations.filter((each) => each !== made);
  const from = goneBackTo(context, old);
  return {
    ...frame(
      context,
      "move-engine",
      [...moveReasons(context, desired, old), ...staleReasons(context, stale)],
      moveSteps(context, desired, old, { generation, isMade: made !== undefined, stopFirst }),
    ),
    interrupts: mayRun(old.pod) && stopFirst,
    ...(made === undefined ? { fresh: generation } : {}),
    to: target(context, desired, generation),
    ...(from === undefined ? {} : { from }),
    ...lossPart(context, desired, old),
    notes: notesFor(context, desired, old.pod),
  };
}

function moveSteps(
  context: PodContext,
  desired: ResolvedPod,
  old: PlacedPod,
  how: { readonly generation: number; readonly isMade: boolean; readonly stopFirst: boolean },
): readonly Step[] {
  const { generation, isMade, stopFirst } = how;
  const isWhole = old.pod.state !== "incomplete";
  const kept = keptElsewhere(context);
  const keep = keptEntries(kept);
  const swept = context.elsewhere.filter(
    (each) => !kept.includes(each) && (each !== old || !isWhole),
  );
  const stale = context.generations.filter((each) => !isMade || each.generation !== generation);
  const hands = handsPortsOver(recorded(context, old.pod.generation)?.spec, desired.spec);
  const replaced = isWhole ? { old, stopFirst, keep, handsPortsOver: hands } : undefined;
  return [
    ...sweepSteps(stale),
    ...sweepPlaced(swept),
    ...(isMade
      ? freshSteps(replaced, generation)
      : createSteps(desired.spec, context, generation, replaced)),
  ];
}

function moveReasons(context: PodContext, desired: ResolvedPod, old: PlacedPod): readonly Reason[] {
  const { config, capabilities } = context.observation;
  const applied = recorded(context, old.pod.generation);
  const move: Reason = {
    kind: "declared",
    path: "engine",
    before: engineName(old.engine, config),
    after: engineName(config, old.engine),
    verdict: "replace",
  };
  if (applied === undefined) return [move];
  return [move, ...declaredReasons(desired, applied, capabilities, context.secrets)];
}

/** The old generation, in its engine. */
function goneBackTo(
  context: PodContext,
  { pod, engine }: PlacedPod,
): RecordedGeneration | undefined {
  const proven = provenGeneration(context, pod.generation);
  return proven === undefined || pod.state === "incomplete" ? undefined : { ...proven, engine };
}

function lossPart(
  { observation }: PodContext,
  { spec }: ResolvedPod,
  { engine }: PlacedPod,
): { readonly losses?: readonly Loss[] } {
  const other = observation.others.find(({ config }) => config === engine);
  if (other?.kind !== "observed") return {};
  const losses = lossesOf(spec, other.capabilities, observation.capabilities);
  return losses.length === 0 ? {} : { losses };
}
