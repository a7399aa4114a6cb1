import type { Plan } from "../plan/index.ts";
import type { ChangeOutcome } from "./execute/events.ts";

/**
 * How an apply ended. `converged`: there was nothing to do. `declined`: the user said no. `done`: all
 * was done. `failed`: not all was done. `incomplete`: all that can be reached is as it should be, some
 * hosts cannot. `paused`: all is done but what waits for a paused rollout. `interrupted`: the user ended it.
 */
export type ApplyStatus =
  | "converged"
  | "declined"
  | "done"
  | "failed"
  | "incomplete"
  | "paused"
  | "interrupted";

/** What an apply did, and what it did not. */
export interface ApplyReport {
  readonly plan: Plan;
  readonly status: ApplyStatus;
  /** In the order of the plan, the hosts' own changes first. */
  readonly outcomes: readonly ChangeOutcome[];
  /** Volumes that were deleted, as `host/volume`; only by a destroy with `--volumes`. */
  readonly deletedVolumes: readonly string[];
  readonly ms: number;
}

/** The report of a run that changed nothing; hosts that were not reached are in it as in any other. */
export function untouchedReport(plan: Plan, status: ApplyStatus): ApplyReport {
  const lost = status === "incomplete" ? plan.hostChanges : [];
  const outcomes = lost
    .filter(({ action }) => action === "unreachable")
    .map(
      ({ id, host, action, text: reason }): ChangeOutcome => ({
        ...{ id, host, action, reason },
        status: "not-run",
        ms: 0,
      }),
    );
  return { plan, status, outcomes, deletedVolumes: [], ms: 0 };
}

/** How a run ended, from what came of its changes. */
export function statusOf(outcomes: readonly ChangeOutcome[], isInterrupted: boolean): ApplyStatus {
  const isOpen = (outcome: ChangeOutcome) =>
    outcome.status !== "done" && outcome.action !== "unreachable";
  const open = outcomes.filter(isOpen);
  if (open.some(({ status }) => status !== "not-run")) return "failed";
  if (open.some(({ waits }) => waits !== true)) return isInterrupted ? "interrupted" : "failed";
  if (outcomes.some(({ action }) => action === "unreachable")) return "incomplete";
  return open.length > 0 ? "paused" : "done";
}
