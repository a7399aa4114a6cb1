import {
  generationDigest,
  isSameJson,
  type ObservedPod,
  type RecordedGeneration,
} from "../model/index.ts";
import { declaredReasons, driftReasons } from "./compare.ts";
import { fileReasons } from "./file-reasons.ts";
import type { Reason, ResolvedPod } from "./plan.ts";
import { isKept, ownIdentity, type PodContext, recorded } from "./pod-context.ts";
import { stateReasons } from "./state-reasons.ts";
import { volumeReasons } from "./volume-reasons.ts";

/** Why a pod that exists is not what it should be: declaration, drift and state. */
export function changeReasons(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod,
): readonly Reason[] {
  const { capabilities } = context.observation;
  const applied = asDesired(recorded(context, current.generation), desired);
  const states = [
    ...stateReasons(desired.spec, current, applied?.spec),
    ...fileReasons(context, current),
  ];
  if (isRenamed(context)) return [renameReason(context), ...states];
  if (applied === undefined) return [...unrecordedReasons(context, desired, current), ...states];
  const declared = declaredReasons(desired, applied, capabilities, context.secrets);
  const paths = new Set(declared.map(({ path }) => path));
  const drift = [
    ...driftReasons(applied, current, capabilities, context.ignoreFields),
    ...volumeReasons(context, desired.spec, applied),
  ];
  return [...declared, ...drift.filter(({ path }) => !paths.has(path)), ...states];
}

/** What was applied; the very specification that is declared where both say the same, the usual case. */
function asDesired(
  applied: RecordedGeneration | undefined,
  { spec }: ResolvedPod,
): RecordedGeneration | undefined {
  return applied !== undefined && isSameJson(applied.spec, spec) ? { ...applied, spec } : applied;
}

/** Whether the pod was made under a former name or owner of the fleet. */
export function isRenamed(context: PodContext): boolean {
  const own = ownIdentity(context);
  const { owner, fleet } = context.declared;
  return own.owner !== owner || own.fleet !== fleet;
}

/** Why the record is written again, if that is all that is wrong; empty when it is as it should be. */
export function recordReasons(context: PodContext, current: ObservedPod): readonly Reason[] {
  const { record, recordLost, desiredDigest } = context;
  const note = (kind: Reason["kind"], text: string): Reason[] => [
    { kind, path: "", verdict: "none", text },
  ];
  if (recordLost !== undefined) {
    return note("drift", `its record ${recordLost}; it is rewritten`);
  }
  const entry = recorded(context, current.generation);
  if (record?.current !== current.generation || record.generations.length !== 1) {
    return note("leftover", "an apply was interrupted before it was recorded");
  }
  if (record.host !== context.host) {
    return note("leftover", `the host was named ${record.host}; its record is rewritten`);
  }
  const { recordDigest } = current;
  if (recordDigest === undefined || recordDigest === desiredDigest || entry === undefined)
    return [];
  if (desiredDigest === generationDigest(entry)) {
    return note("leftover", "an update was interrupted before it was recorded");
  }
  return [];
}

/** One reason for each other generation in the engine: a move kept it there, or an apply was interrupted. */
export function staleReasons(
  context: PodContext,
  stale: readonly ObservedPod[],
): readonly Reason[] {
  const { config: engine } = context.observation;
  return stale.map((pod) => ({
    kind: "leftover",
    path: "",
    verdict: "none",
    text: isKept(context, { engine, pod })
      ? `generation ${pod.generation} was kept here by --keep-old, and is removed for a new one`
      : `generation ${pod.generation} is left over from an interrupted apply`,
  }));
}

/** Without a record: what the engine reports against what is declared. */
function unrecordedReasons(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod,
): readonly Reason[] {
  const { capabilities } = context.observation;
  const drift = driftReasons(desired, current, capabilities, context.ignoreFields);
  if (current.recordDigest === context.desiredDigest) return drift;
  if (drift.length > 0) return drift.map((reason) => ({ ...reason, verdict: "replace" }));
  if (context.record?.current === undefined && context.record !== undefined) {
    const text = `generation ${current.generation} was never proven, and does not match the declaration`;
    return [{ kind: "leftover", path: "", verdict: "replace", text }];
  }
  const text = "what was applied is not known, and it does not match the declaration";
  return [{ kind: "drift", path: "", verdict: "replace", text }];
}

function renameReason(context: PodContext): Reason {
  const { owner, fleet } = ownIdentity(context);
  const text =
    owner === context.declared.owner
      ? `the fleet was named ${fleet}`
      : `it is taken over from owner ${owner}`;
  return { kind: "declared", path: "", verdict: "replace", text };
}
