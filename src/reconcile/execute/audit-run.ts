import { randomUUID } from "node:crypto";
import { StowageError } from "../../errors/index.ts";
import { mapLimited } from "../../internal/index.ts";
import { AUDIT_CHANGES_MAX, AUDIT_FILE_BYTES, type AuditLine } from "../../model/index.ts";
import { type Plan, waitingChanges } from "../../plan/index.ts";
import { statusOf } from "../report.ts";
import type { ApplyEvent, ChangeOutcome } from "./events.ts";
import type { HostSession } from "./host-session.ts";

/** A run that is written down on the hosts that it changes. */
export interface AuditedRun {
  /** What the user ran; absent: nothing is written down. */
  readonly command: string | undefined;
  readonly plan: Plan;
  readonly sessions: ReadonlyMap<string, HostSession>;
  readonly parallelism: number;
  readonly onEvent: (event: ApplyEvent) => void;
}

type Change = AuditLine["changes"][number];

/**
 * Writes down on each host that a plan changes that it begins, and gives what writes down how it ended. A
 * line that cannot be written is reported and stops nothing: an apply must be able to fix a full disk.
 */
export async function auditRun(
  run: AuditedRun,
): Promise<(outcomes: readonly ChangeOutcome[], isInterrupted: boolean) => Promise<void>> {
  const { command, plan, sessions, parallelism } = run;
  if (command === undefined) return async () => {};
  const id = randomUUID();
  const waiting = waitingChanges(plan);
  const due = [...sessions.values()].flatMap((session) => {
    const changes = [...plan.hostChanges, ...plan.pods]
      .filter(({ host, steps }) => host === session.name && steps.length > 0)
      .filter((change) => !waiting.has(change.id))
      .map((change): Change => ({ id: change.id, action: change.action }));
    return changes.length === 0 ? [] : [{ session, changes }];
  });
  await mapLimited(due, parallelism, async ({ session, changes }) => {
    await writeLine(run, session, { run: id, command, event: "began", ...named(changes) });
  });
  return async (outcomes, isInterrupted) => {
    await mapLimited(due, parallelism, async ({ session }) => {
      const own = outcomes.filter(({ host }) => host === session.name);
      const changes = own.map(({ id, action, status }): Change => ({ id, action, status }));
      const result = statusOf(own, isInterrupted);
      await writeLine(run, session, {
        run: id,
        command,
        event: "ended",
        result,
        ...named(changes),
      });
    });
  };
}

/** The first of many changes: a line has an end. */
function named(changes: readonly Change[]): Pick<AuditLine, "changes" | "more"> {
  const more = changes.length - AUDIT_CHANGES_MAX;
  return more <= 0 ? { changes } : { changes: changes.slice(0, AUDIT_CHANGES_MAX), more };
}

async function writeLine(
  { onEvent }: AuditedRun,
  { name, host, lock, layout, context, signal }: HostSession,
  what: Pick<AuditLine, "run" | "command" | "event" | "changes" | "more" | "result">,
): Promise<void> {
  const { owner, fleet, appliedBy: by } = context;
  const at = new Date().toISOString();
  const line: AuditLine = { version: 1, at, by, owner, fleet, host: name, ...what };
  try {
    await lock.check();
    await host.appendLine(layout.auditFile, JSON.stringify(line), AUDIT_FILE_BYTES, { signal });
  } catch (error) {
    if (!StowageError.is(error) && !signal.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    onEvent({ type: "not-audited", host: name, reason });
  }
}
