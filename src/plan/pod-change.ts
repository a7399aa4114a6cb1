import { engineName, type ObservedPod } from "../model/index.ts";
import { frame, target } from "./change-frame.ts";
import { notesFor } from "./change-notes.ts";
import { changeReasons } from "./change-reasons.ts";
import { declaredReasons, strongestVerdict } from "./compare.ts";
import { withDrains } from "./drains.ts";
import type { PodChange, Reason, ResolvedPod } from "./plan.ts";
import { planAdoption } from "./plan-adoption.ts";
import { withElsewhere } from "./plan-elsewhere.ts";
import { planInPlace } from "./plan-in-place.ts";
import { planMove } from "./plan-move.ts";
import { planReplacement } from "./plan-replacement.ts";
import {
  currentGeneration,
  lostWith,
  mayRun,
  movedFrom,
  nextGeneration,
  type PodContext,
  podsOf,
  recorded,
} from "./pod-context.ts";
import { createSteps, removeSteps } from "./steps.ts";
import { volumeReasons } from "./volume-reasons.ts";

/** The change that one pod needs; undefined when it is what it should be. */
export function planPod(context: PodContext): PodChange | undefined {
  const change = changeOf(context);
  return change === undefined ? undefined : withDrains(context, change);
}

function changeOf(context: PodContext): PodChange | undefined {
  const { desired } = context;
  if (desired === undefined) return planRemoval(context);
  const old = movedFrom(context);
  if (old !== undefined) return planMove(context, desired, old);
  return withElsewhere(context, desired, planHere(context, desired));
}

function planHere(context: PodContext, desired: ResolvedPod): PodChange | undefined {
  const current = currentGeneration(context);
  if (current === undefined) return planCreation(context, desired);
  return planAdoption(context, desired) ?? planChange(context, desired, current);
}

function planChange(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod,
): PodChange | undefined {
  const reasons = changeReasons(context, desired, current);
  return strongestVerdict(reasons) === "replace"
    ? planReplacement(context, desired, current, reasons)
    : planInPlace(context, desired, current, reasons);
}

function planCreation(context: PodContext, desired: ResolvedPod): PodChange {
  const generation = nextGeneration(context);
  const gone = context.record?.current !== undefined;
  const text = gone ? goneText(context) : "it is new";
  const kind = gone ? "state" : "declared";
  const steps = createSteps(desired.spec, context, generation);
  const applied = recorded(context, context.record?.current);
  const { capabilities } = context.observation;
  const reasons: readonly Reason[] = [
    { kind, path: "", verdict: "replace", text },
    ...(applied === undefined
      ? []
      : declaredReasons(desired, applied, capabilities, context.secrets)),
    ...volumeReasons(context, desired.spec, applied),
  ];
  return {
    ...frame(context, "create", reasons, steps),
    interrupts: false,
    fresh: generation,
    to: target(context, desired, generation),
    notes: notesFor(context, desired, undefined),
  };
}

function goneText(context: PodContext): string {
  const lost = lostWith(context);
  if (lost === undefined) return "it is gone: somebody removed it from the engine";
  return `it is lost with ${engineName(lost, context.observation.config)}`;
}

function planRemoval(context: PodContext): PodChange | undefined {
  const { record, recordLost } = context;
  const found = podsOf(context);
  const nothing = found.length === 0;
  if (nothing && record === undefined && recordLost === undefined) return undefined;
  const text = nothing ? "it is not declared, and only its record is left" : "it is not declared";
  const reason = { kind: "declared", path: "", verdict: "none", text } as const;
  return {
    ...frame(context, "remove", [reason], removeSteps(context)),
    interrupts: found.some(mayRun),
    notes: [],
  };
}
