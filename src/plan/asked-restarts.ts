import type { Diagnostic } from "../errors/index.ts";
import { frame, keptTarget } from "./change-frame.ts";
import { withDrains } from "./drains.ts";
import type { PodChange, Reason } from "./plan.ts";
import { planPod } from "./pod-change.ts";
import { currentGeneration, mayRun, type PodContext } from "./pod-context.ts";
import { startSteps } from "./steps.ts";

/** What comes of a pod in a plan that begins those again that were asked for, and does nothing else. */
export interface AskedRestart {
  readonly change?: PodChange;
  /** Why it must not be done: more than a new start is due. */
  readonly refusal?: Diagnostic;
  /** Why nothing is done, for people. */
  readonly note?: string;
}

/**
 * A pod that is what it should be and runs is started again in the generation that it has. One that is down is started, as
 * by any other plan: a restart that was interrupted left it so. What has ended for good stays so.
 */
export function askedRestart(context: PodContext): AskedRestart {
  const change = planPod(context);
  const current = currentGeneration(context);
  const isDue =
    change !== undefined && !(change.action === "start" && change.reasons.every(isOfState));
  if (isDue || current === undefined) return { refusal: refusalOf(context, change) };
  if (mayRun(current)) return { change: restartOf(context, change?.reasons ?? []) };
  if (change !== undefined) return { change };
  const { host, pod } = context;
  return { note: `${host}/${pod} has ended, as its restart policy allows, and is not restarted` };
}

function isOfState({ kind }: Reason): boolean {
  return kind === "state";
}

function restartOf(context: PodContext, states: readonly Reason[]): PodChange {
  const current = currentGeneration(context);
  const { desired } = context;
  if (current === undefined || desired === undefined) {
    throw new Error(`Pod ${context.pod} is not there to be begun anew`);
  }
  const { generation } = current;
  const text = "a restart was asked for";
  const reasons: readonly Reason[] = [
    { kind: "asked", path: "", verdict: "restart", text },
    ...states,
  ];
  return withDrains(context, {
    ...frame(context, "restart", reasons, [
      { kind: "stop", generation },
      ...startSteps(generation),
    ]),
    interrupts: true,
    to: keptTarget(context, desired, generation),
    notes: [],
  });
}

function refusalOf({ host, pod }: PodContext, change: PodChange | undefined): Diagnostic {
  const paths = [...new Set(change?.reasons.map(({ path }) => path) ?? [])].filter(Boolean);
  const which = paths.length === 0 ? "" : ` (${paths.join(", ")})`;
  return {
    severity: "error",
    path: `hosts.${host}.pods.${pod}`,
    summary: `pod "${pod}" has changes that are not applied yet${which}, and a restart applies none`,
    detail: `run stowage apply --pod ${pod} --host ${host}, or look at stowage plan first`,
  };
}

/** A pod that could not be started again as something of its host is to come first, such as its image, stays up. */
export function hostRestartRefusals(
  host: string,
  changes: readonly PodChange[],
  before: (pod: string) => readonly string[],
): readonly Diagnostic[] {
  const missing = new Map(changes.map(({ pod }) => [pod, before(pod)]));
  return [...missing].flatMap(([pod, ids]): Diagnostic[] =>
    ids.length === 0
      ? []
      : [
          {
            severity: "error",
            path: `hosts.${host}.pods.${pod}`,
            summary: `pod "${pod}" needs changes of its host that are not applied yet (${ids.join(", ")}), and a restart applies none`,
            detail: `run stowage apply --pod ${pod} --host ${host}, or look at stowage plan first`,
          },
        ],
  );
}
