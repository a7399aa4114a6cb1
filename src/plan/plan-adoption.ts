import { handsPortsOver, type ObservedPod, stopsFirst } from "../model/index.ts";
import { frame, keptTarget } from "./change-frame.ts";
import { notesFor } from "./change-notes.ts";
import { staleReasons } from "./change-reasons.ts";
import { declaredReasons } from "./compare.ts";
import { fileDrift } from "./file-reasons.ts";
import type { PodChange, Reason, ResolvedPod } from "./plan.ts";
import { isOfDeclared, mayRun, type PodContext, recorded } from "./pod-context.ts";
import { freshSteps, sweepSteps } from "./steps.ts";

/** A rollout that was interrupted after its new generation was made: it is carried on from there. */
export function planAdoption(context: PodContext, desired: ResolvedPod): PodChange | undefined {
  const made = adoptable(context);
  if (made === undefined) return undefined;
  const { generations, record, observation } = context;
  const from = recorded(context, record?.current);
  const old = generations.find(({ generation }) => generation === from?.generation);
  const stale = generations.filter((each) => each !== made && each !== old);
  const first =
    made.state === "prepared" && (from === undefined || stopsFirst(from.spec, desired.spec));
  const text = "an apply did not finish it; this continues from there";
  const reasons: Reason[] = [
    { kind: "leftover", path: "", verdict: "none", text },
    ...(from === undefined
      ? []
      : declaredReasons(desired, from, observation.capabilities, undefined)),
    ...staleReasons(context, stale),
  ];
  const hands = handsPortsOver(from?.spec, desired.spec);
  const replaced =
    old === undefined ? undefined : { old: { pod: old }, stopFirst: first, handsPortsOver: hands };
  const steps = [...sweepSteps(stale), ...freshSteps(replaced, made.generation)];
  return {
    ...frame(context, "adopt", reasons, steps),
    interrupts: old !== undefined && mayRun(old),
    to: keptTarget(context, desired, made.generation),
    ...(from === undefined || old === undefined ? {} : { from }),
    notes: notesFor(context, desired, undefined),
  };
}

/** A generation, not the proven one, that is whole and exactly what is declared. */
export function adoptable(context: PodContext): ObservedPod | undefined {
  const { generations, record, desiredDigest, recordLost } = context;
  if (recordLost !== undefined) return undefined;
  const secrets = [...(context.secrets?.values() ?? [])];
  if (secrets.some(({ state }) => state === "changed")) return undefined;
  return generations.findLast((made) => {
    const { generation, recordDigest, state } = made;
    return (
      isOfDeclared(context, made) &&
      generation !== record?.current &&
      recordDigest === desiredDigest &&
      (state === "prepared" || state === "running") &&
      recorded(context, generation) !== undefined &&
      fileDrift(context, made).length === 0
    );
  });
}
