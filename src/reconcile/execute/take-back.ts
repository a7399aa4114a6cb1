import { StowageError } from "../../errors/index.ts";
import { filesDirName } from "../../model/index.ts";
import { type HostObservation, type PodChange, planReturn } from "../../plan/index.ts";
import type { ApplyEvent, ChangeOutcome } from "./events.ts";
import type { HostSession } from "./host-session.ts";
import { PodRun, type RunHooks } from "./pod-run.ts";
import { identityOf } from "./run-step.ts";

/**
 * Takes a pod back to what ran before a change of it that was done.
 *
 * @param why the rollout was given up
 * @returns what is to be reported of the change now
 */
export async function takeBack(
  change: PodChange,
  outcome: ChangeOutcome,
  session: HostSession,
  hooks: RunHooks & { readonly why: string },
): Promise<ChangeOutcome> {
  const { why, draining, onEvent } = hooks;
  try {
    const back = await returnOf(change, session);
    if (back === undefined)
      return {
        ...outcome,
        reason: `${why}; this pod keeps its change: it has no earlier state to roll back to`,
      };
    onEvent({ type: "rollback-started", id: change.id, reason: why });
    const told = (event: ApplyEvent): void => {
      if (event.type !== "change-done") onEvent(event);
    };
    const run = new PodRun(back.change, back.session, { draining, onEvent: told });
    for (const part of ["prepare", "act", "wait", "finish"] as const) await run.run(part);
    run.succeed();
    return said(outcome, why, run.outcome);
  } catch (error) {
    if (!StowageError.is(error) && !session.signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ...outcome,
      status: "failed",
      reason: `${why}; rolling back failed: ${reason}`,
      remedy: AGAIN,
    };
  }
}

const AGAIN = "the new generation runs; apply again, or apply the old declaration";

function said(outcome: ChangeOutcome, why: string, back: ChangeOutcome | undefined): ChangeOutcome {
  if (back?.status === "done")
    return {
      ...outcome,
      status: "rolled-back",
      reason: why,
      remedy:
        "what it ran before runs again, with the current secrets; fix the new one and apply again",
    };
  const { reason = "it was ended", failedStep, logs } = back ?? {};
  return {
    ...outcome,
    status: "failed",
    reason: `${why}; rolling back failed: ${reason}`,
    remedy: AGAIN,
    ...(failedStep === undefined ? {} : { failedStep }),
    ...(logs === undefined ? {} : { logs }),
  };
}

async function returnOf(
  change: PodChange,
  session: HostSession,
): Promise<{ readonly change: PodChange; readonly session: HostSession } | undefined> {
  const { engine, records, signal, context } = session;
  const record = records.record(change);
  if (record === undefined || change.from === undefined) return undefined;
  await context.secrets.load([change.from.spec]);
  const seen = await engine.observe({ signal });
  const observation: HostObservation = {
    ...session.observation,
    engine: seen,
    ...filesPart(change, session),
  };
  const back = planReturn({ change, observation, record });
  return back === undefined ? undefined : { change: back, session: { ...session, observation } };
}

/** The files that the change wrote: they were not there when the host was read. */
function filesPart(change: PodChange, session: HostSession): Pick<HostObservation, "files"> {
  const { to, fresh } = change;
  const { files } = session.observation;
  if (to === undefined || fresh === undefined) return files === undefined ? {} : { files };
  const { owner, fleet, ...rest } = identityOf({ session, change, target: to }, fresh);
  const name = filesDirName({ owner, fleet, ...rest });
  const { drift = new Map(), directories = [], emptied = [] } = files ?? {};
  return { files: { drift, directories: [...directories, { owner, fleet, name }], emptied } };
}
