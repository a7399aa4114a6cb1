import { StowageError } from "../../errors/index.ts";
import { type PodChange, planRollback, type Step } from "../../plan/index.ts";
import { redactor } from "../secrets/secrets.ts";
import type { ApplyEvent, ChangeOutcome } from "./events.ts";
import { lastLines } from "./failure-logs.ts";
import type { HostSession } from "./host-session.ts";
import { lostLock } from "./lost-lock.ts";
import { identityOf, removeGeneration, runPodStep, type StepContext } from "./run-step.ts";

/** What a run of changes listens to and tells. */
export interface RunHooks {
  readonly onEvent: (event: ApplyEvent) => void;
  /** The user wants no further step to begin. */
  readonly draining: AbortSignal;
}

/** Parts of a change that are run one after the other, each without a break. */
export type Segment = "prepare" | "act" | "wait" | "finish";

const SEGMENTS: readonly Segment[] = ["prepare", "act", "wait", "finish"];

/**
 * One pod's change on its way. What was stopped is started before anything else may hold it up: an
 * end that the user wants comes before the stop or after the start.
 */
export class PodRun {
  readonly change: PodChange;
  readonly #session: HostSession;
  readonly #hooks: RunHooks;
  readonly #parts: Readonly<Record<Segment, readonly Step[]>>;
  readonly #redact: (text: string) => string;
  #outcome: ChangeOutcome | undefined;
  #index = 0;
  /** When its first step began: what it waited for before that is not its own time. */
  #beganAt: number | undefined;
  #isDown = false;
  #isTouched = false;
  #isProven = false;
  /** What does again what was not done. */
  readonly #again: string;

  constructor(change: PodChange, session: HostSession, hooks: RunHooks) {
    this.change = change;
    this.#session = session;
    this.#hooks = hooks;
    this.#parts = splitSteps(change.steps);
    this.#again = againOf(change);
    const specs = [change.to?.spec, change.from?.spec].filter((spec) => spec !== undefined);
    this.#redact = redactor(specs, session.context.secrets);
  }

  get outcome(): ChangeOutcome | undefined {
    return this.#outcome;
  }

  /** Whether it ends a process; such a change waits until all of its host are prepared. */
  get stops(): boolean {
    return SEGMENTS.slice(1).some((segment) =>
      this.#parts[segment].some(({ kind }) => kind === "stop" || kind === "remove"),
    );
  }

  has(segment: Segment): boolean {
    return this.#parts[segment].length > 0;
  }

  /** Runs a part of the steps; after a failure all further parts are passed over. */
  async run(segment: Segment): Promise<void> {
    for (const step of this.#parts[segment]) {
      if (this.#outcome !== undefined) return;
      if (this.#session.signal.aborted || (this.#hooks.draining.aborted && !this.#isDown)) {
        await this.#interrupt();
        return;
      }
      try {
        await this.#step(
          { session: this.#session, change: this.change, target: this.change.to },
          step,
        );
      } catch (error) {
        await this.#fail(step, error);
        return;
      }
    }
  }

  /** Everything went well. */
  succeed(): void {
    if (this.#outcome === undefined) this.#end({ status: "done" });
  }

  /** Leaves the change out, and takes back what was prepared for it. */
  async skip(reason: string): Promise<void> {
    if (this.#outcome !== undefined) return;
    const isPrepared = this.#index > 0;
    this.#end({ status: "skipped", reason, remedy: `${this.#again} when that is fixed` });
    if (isPrepared) await this.#discard();
  }

  /** Leaves the change out before it began: the user ended the apply, or it is to wait. */
  leave(reason: string, more: Pick<ChangeOutcome, "remedy" | "waits"> = {}): void {
    this.#end({ status: "not-run", reason, remedy: `${this.#again} to continue`, ...more });
  }

  async #step(context: StepContext, step: Step): Promise<void> {
    const { id, steps } = this.change;
    const { onEvent } = this.#hooks;
    if (this.#index === 0) onEvent({ type: "change-started", id });
    onEvent({ type: "step-started", id, step, index: this.#index, count: steps.length });
    this.#index += 1;
    const beganAt = performance.now();
    this.#beganAt ??= beganAt;
    try {
      await this.#session.lock.check();
      // one that is drained may answer nobody any more: it is continued as after its stop
      const isOver = step.kind === "drain" || step.kind === "stop";
      if (isOver && step.generation !== this.change.fresh) this.#isDown = true;
      if (step.kind === "stop" || step.kind === "start") this.#isTouched = true;
      const onDrain = (container: string, problem: string): void =>
        onEvent({ type: "drain-failed", id, container, reason: this.#redact(problem) });
      await runPodStep({ ...context, onDrain }, step);
      if (step.kind === "commit") [this.#isProven, this.#isDown] = [true, false];
      onEvent({ type: "step-done", id, step, ms: performance.now() - beganAt });
    } catch (error) {
      const reason = this.#reasonOf(error);
      onEvent({ type: "step-failed", id, step, ms: performance.now() - beganAt, reason });
      throw error;
    }
  }

  async #fail(step: Step, error: unknown): Promise<void> {
    const { lock, signal } = this.#session;
    if (lock.isExpired() || signal.aborted) {
      await this.#interrupt(step);
      return;
    }
    if (!StowageError.is(error)) throw error;
    const reason = this.#reasonOf(error);
    const logs = await this.#logsOf(step);
    const failure = { reason, failedStep: step.kind, ...(logs.length === 0 ? {} : { logs }) };
    if (this.#isProven || !this.#isTouched || this.change.from === undefined) {
      const remedy = this.#isProven
        ? "the new generation runs; apply again to remove the rest"
        : `fix the cause and ${this.#again}`;
      this.#end({ status: "failed", ...failure, remedy });
      return;
    }
    await this.#rollBack(failure);
  }

  async #rollBack(failure: Pick<ChangeOutcome, "reason" | "logs" | "failedStep">): Promise<void> {
    const { change } = this;
    const { engine, observation, signal, context } = this.#session;
    this.#hooks.onEvent({ type: "rollback-started", id: change.id, reason: failure.reason ?? "" });
    try {
      const seen = { ...observation, engine: await engine.observe({ signal }) };
      // an old generation in another engine is where it was before the change
      const steps = planRollback(change, seen, context);
      if (steps.length === 0) {
        const remedy = "there was nothing to roll back to; fix the cause and apply again";
        this.#end({ status: "failed", ...failure, remedy });
        return;
      }
      for (const step of steps) {
        await this.#step({ session: this.#session, change, target: change.from }, step);
      }
      const remedy = "the old generation runs again; fix the new one and apply again";
      this.#end({ status: "rolled-back", ...failure, remedy });
    } catch (error) {
      if (!StowageError.is(error) && !signal.aborted) throw error;
      const reason = `${failure.reason}; rolling back failed too: ${this.#reasonOf(error)}`;
      this.#end({
        status: "failed",
        ...failure,
        reason,
        remedy: "apply again at once: it may be down",
      });
    }
  }

  async #interrupt(step?: Step): Promise<void> {
    const { signal } = this.#session;
    const lost = await lostLock(this.#session);
    const hasBegun = this.#index > 0;
    const reason = lost ?? (signal.aborted ? "it was interrupted" : "the apply was stopped");
    this.#end({
      status: hasBegun && (lost !== undefined || signal.aborted) ? "failed" : "not-run",
      reason,
      ...(step === undefined ? {} : { failedStep: step.kind }),
      remedy: `${this.#again}: it continues from what is there`,
    });
  }

  /** Takes back a generation that this run prepared. */
  async #discard(): Promise<void> {
    const { change } = this;
    const { fresh } = change;
    const { lock, records, signal } = this.#session;
    if (fresh === undefined || !change.steps.some(({ kind }) => kind === "prepare")) return;
    try {
      await lock.check();
      const context = { session: this.#session, change, target: change.to };
      await removeGeneration(context, fresh);
      await records.withdraw(change, fresh, { signal });
    } catch (error) {
      // it stays prepared: the next plan shows it, and continues from there
      if (!StowageError.is(error) && !signal.aborted) throw error;
    }
  }

  async #logsOf(step: Step): Promise<NonNullable<ChangeOutcome["logs"]>> {
    if (step.kind !== "start" && !isWait(step)) return [];
    const context = { session: this.#session, change: this.change, target: this.change.to };
    return await lastLines(this.#session, identityOf(context, step.generation), this.#redact);
  }

  #reasonOf(error: unknown): string {
    return this.#redact(error instanceof Error ? error.message : String(error));
  }

  #end(what: Omit<ChangeOutcome, "id" | "host" | "pod" | "action" | "ms">): void {
    const { id, host, pod, action } = this.change;
    const now = performance.now();
    const ms = now - (this.#beganAt ?? now);
    this.#outcome = { id, host, pod, action, ...what, ms };
    this.#hooks.onEvent({ type: "change-done", id, outcome: this.#outcome });
  }
}

type Wait = Extract<Step, { readonly kind: "wait-healthy" | "wait-completed" }>;

function isWait(step: Step): step is Wait {
  return step.kind === "wait-healthy" || step.kind === "wait-completed";
}

/** All up to the last thing that is made beforehand; then up to the wait; the wait; the rest. */
function splitSteps(steps: readonly Step[]): Readonly<Record<Segment, readonly Step[]>> {
  const prepared =
    steps.findLastIndex(({ kind }) => kind === "prepare" || kind === "create-volume") + 1;
  const rest = steps.slice(prepared);
  const found = rest.findIndex(isWait);
  const wait = found < 0 ? rest.length : found;
  const end = wait + rest.slice(wait).filter(isWait).length;
  return {
    prepare: steps.slice(0, prepared),
    act: rest.slice(0, wait),
    wait: rest.slice(wait, end),
    finish: rest.slice(end),
  };
}

/** An apply would not start again what was asked to be, and another restart of all would begin those that are done once more. */
function againOf({ id, reasons }: PodChange): string {
  return reasons.some(({ kind }) => kind === "asked") ? `run stowage restart ${id}` : "apply again";
}
