import { StowageError } from "../../errors/index.ts";
import type { HostChange } from "../../plan/index.ts";
import type { ChangeOutcome } from "./events.ts";
import type { HostSession } from "./host-session.ts";
import { lostLock } from "./lost-lock.ts";
import type { RunHooks } from "./pod-run.ts";
import { runHostStep } from "./run-host-step.ts";

/** Runs all steps of a host's own change. Never fails: the outcome says what came of it. */
export async function runHostChange(
  change: HostChange,
  session: HostSession,
  hooks: RunHooks,
): Promise<ChangeOutcome> {
  const { id, steps } = change;
  const beganAt = performance.now();
  hooks.onEvent({ type: "change-started", id });
  for (const [index, step] of steps.entries()) {
    if (hooks.draining.aborted || session.signal.aborted) {
      return hostOutcome(change, {
        status: "not-run",
        reason: (await lostLock(session)) ?? "the apply was stopped",
        remedy: "apply again to continue",
        ms: performance.now() - beganAt,
      });
    }
    hooks.onEvent({ type: "step-started", id, step, index, count: steps.length });
    const stepAt = performance.now();
    try {
      await session.lock.check();
      await runHostStep(session, change, step, {
        onBytes: (bytes, ofBytes) => {
          const of = ofBytes === undefined ? {} : { ofBytes };
          hooks.onEvent({ type: "step-progress", id, bytes, ...of });
        },
        onNote: (text) => hooks.onEvent({ type: "step-note", id, text }),
      });
      hooks.onEvent({ type: "step-done", id, step, ms: performance.now() - stepAt });
    } catch (error) {
      if (!StowageError.is(error) && !session.signal.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      hooks.onEvent({ type: "step-failed", id, step, ms: performance.now() - stepAt, reason });
      return hostOutcome(change, {
        status: "failed",
        reason,
        remedy: "fix the cause and apply again",
        failedStep: step.kind,
        ms: performance.now() - beganAt,
      });
    }
  }
  return hostOutcome(change, { status: "done", ms: performance.now() - beganAt });
}

/** An outcome of a host's own change. */
export function hostOutcome(
  { id, host, action }: HostChange,
  what: Omit<ChangeOutcome, "id" | "host" | "pod" | "action">,
): ChangeOutcome {
  return { id, host, action, ...what };
}
