import type { HostChange, PodChange, Step } from "../../plan/index.ts";
import type { PlanProgress } from "../plan-fleet.ts";

/** What came of a change. */
export type ChangeStatus = "done" | "failed" | "rolled-back" | "skipped" | "not-run";

/** A change and what came of it. */
export interface ChangeOutcome {
  readonly id: string;
  readonly host: string;
  /** Absent for a change of the host itself. */
  readonly pod?: string;
  readonly action: PodChange["action"] | HostChange["action"];
  readonly status: ChangeStatus;
  /** Why it is not done, or why it was not undone with others; one sentence. */
  readonly reason?: string;
  /** What to do next. */
  readonly remedy?: string;
  /** Not run only because a rollout is paused: its own, or that of what it comes after. */
  readonly waits?: true;
  /** The step that failed. */
  readonly failedStep?: Step["kind"];
  /** Last lines of the containers that failed, oldest first. */
  readonly logs?: readonly { readonly container: string; readonly text: string }[];
  readonly ms: number;
}

/** What happens while an apply runs, as it happens; `id` is the change's. */
export type ApplyEvent =
  | PlanProgress
  | { readonly type: "lock-waiting"; readonly host: string; readonly holder: string }
  /** A line of a host's audit file could not be written; the run continues. */
  | { readonly type: "not-audited"; readonly host: string; readonly reason: string }
  | { readonly type: "change-started"; readonly id: string }
  | {
      readonly type: "step-started";
      readonly id: string;
      readonly step: Step;
      /** Its place among the change's steps, from 0. */
      readonly index: number;
      readonly count: number;
    }
  | {
      /** A few times a second while bytes of an image come. */
      readonly type: "step-progress";
      readonly id: string;
      readonly bytes: number;
      /** All that will come, where that is known. */
      readonly ofBytes?: number;
    }
  /** Something that is worth a word, and no failure. */
  | { readonly type: "step-note"; readonly id: string; readonly text: string }
  | { readonly type: "step-done"; readonly id: string; readonly step: Step; readonly ms: number }
  | {
      readonly type: "step-failed";
      readonly id: string;
      readonly step: Step;
      readonly ms: number;
      readonly reason: string;
    }
  | {
      /** A command before a stop did not succeed; the container is stopped all the same. */
      readonly type: "drain-failed";
      readonly id: string;
      readonly container: string;
      readonly reason: string;
    }
  | { readonly type: "rollback-started"; readonly id: string; readonly reason: string }
  | { readonly type: "change-done"; readonly id: string; readonly outcome: ChangeOutcome };
