import type { ObservedPod } from "../model/index.ts";
import { frame, keptTarget, provenGeneration } from "./change-frame.ts";
import { notesFor } from "./change-notes.ts";
import { recordReasons, staleReasons } from "./change-reasons.ts";
import { strongestVerdict } from "./compare.ts";
import { fileDrift } from "./file-reasons.ts";
import type { Action, PodChange, Reason, ResolvedPod, Step } from "./plan.ts";
import { mayRun, type PodContext } from "./pod-context.ts";
import { completedContainers, runAgain } from "./state-reasons.ts";
import { startSteps, sweepSteps } from "./steps.ts";

/** A change that keeps the generation: live update, restart, start, or only its record. */
export function planInPlace(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod,
  reasons: readonly Reason[],
): PodChange | undefined {
  const { generation } = current;
  const verdict = strongestVerdict(reasons);
  const stale = context.generations.filter((each) => each !== current);
  const records = recordReasons(context, current);
  const isDown = reasons.some((reason) => reason.kind === "state");
  const updates = verdict !== "none" || records.some(({ text }) => text?.startsWith("an update"));
  const change: Step[] = [];
  const rewrites = fileDrift(context, current).length > 0;
  // what is prepared has its files mounted already
  const holds = mayRun(current) || (rewrites && current.state === "prepared");
  if (verdict === "restart" && holds) change.push({ kind: "stop", generation });
  if (rewrites) change.push({ kind: "write-files", generation });
  if (updates) change.push({ kind: "update", generation, paths: changedPaths(reasons) });
  if (verdict === "restart") change.push(...startSteps(generation));
  else if (isDown) change.push(...startSteps(generation, undefined, unfinished(desired, current)));
  if (updates || records.length > 0) change.push({ kind: "commit", generation });
  const steps = [...sweepSteps(stale), ...change];
  if (steps.length === 0) return undefined;
  const from = verdict === "none" ? undefined : provenGeneration(context, generation);
  const all = [...reasons, ...staleReasons(context, stale), ...records];
  return {
    ...frame(context, actionOf(verdict, isDown, change.length > 0), all, steps),
    interrupts: verdict === "restart" && mayRun(current),
    to: keptTarget(context, desired, generation),
    ...(from === undefined ? {} : { from }),
    notes: notesFor(context, desired, current),
  };
}

/** The containers that have not done their work; undefined: none of them has. */
function unfinished({ spec }: ResolvedPod, current: ObservedPod): readonly string[] | undefined {
  const again = runAgain(spec, current);
  const completed = completedContainers(spec, current).filter((name) => !again.includes(name));
  if (completed.length === 0) return undefined;
  return Object.keys(spec.containers).filter((name) => !completed.includes(name));
}

function actionOf(
  verdict: ReturnType<typeof strongestVerdict>,
  isDown: boolean,
  changes: boolean,
): Action {
  if (verdict === "restart") return "restart";
  if (verdict === "live") return "update";
  if (isDown) return "start";
  return changes ? "adopt" : "clean";
}

function changedPaths(reasons: readonly Reason[]): readonly string[] {
  return reasons
    .filter(({ verdict }) => verdict === "live" || verdict === "restart")
    .map(({ path }) => path);
}
