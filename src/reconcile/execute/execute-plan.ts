import { createLimiter, type Limiter } from "../../internal/index.ts";
import { type HostChange, type PodChange, waitingChanges } from "../../plan/index.ts";
import type { ChangeOutcome } from "./events.ts";
import { hostOutcome, runHostChange } from "./host-run.ts";
import { CHANGES_AT_ONCE, type HostSession } from "./host-session.ts";
import { PodRun } from "./pod-run.ts";
import { Rollouts, type RolloutsRequest } from "./rollouts.ts";

/** A plan and the hosts that it is run on. */
export interface ExecuteRequest extends RolloutsRequest {
  /** Hosts that are worked on at full speed at once. */
  readonly parallelism: number;
  /** Why a host cannot be worked on. */
  readonly unreachable: ReadonlyMap<string, string>;
  /** Told of an error that no change can end with; everything else is then to be aborted. */
  readonly onCrash: (error: unknown) => void;
}

/**
 * Runs a plan's changes, many hosts at once, each change after those that it names.
 *
 * On a host all images are brought in and all pods prepared before the first process is stopped. A
 * change that fails leaves its dependants out and its neighbours alone.
 *
 * @returns what came of every change, in the plan's order
 * @throws whatever was thrown that is no StowageError, when nothing runs any more
 */
export async function executePlan(request: ExecuteRequest): Promise<readonly ChangeOutcome[]> {
  return await new Execution(request).run();
}

/** Why a change is not begun. */
interface Failure extends Waits {
  readonly status: "skipped" | "not-run";
  readonly reason: string;
}

type Waits = Pick<ChangeOutcome, "waits" | "remedy">;

class Execution {
  readonly #request: ExecuteRequest;
  readonly #global: Limiter;
  readonly #results = new Map<string, Promise<ChangeOutcome>>();
  /** Resolved when the processes of a pod's change were begun, or never will be by it. */
  readonly #begun = new Map<string, Promise<void>>();
  /** By host: all that comes before the first stop. */
  readonly #preparations = new Map<string, Promise<unknown>[]>();
  readonly #hostChanges: ReadonlySet<string>;
  readonly #rollouts: Rollouts;
  /** Changes that the plan says will wait. */
  readonly #waiting: ReadonlySet<string>;

  constructor(request: ExecuteRequest) {
    this.#request = request;
    this.#rollouts = new Rollouts(request);
    this.#waiting = waitingChanges(request.plan);
    this.#global = createLimiter(request.parallelism * CHANGES_AT_ONCE);
    this.#hostChanges = new Set(request.plan.hostChanges.map(({ id }) => id));
  }

  async run(): Promise<readonly ChangeOutcome[]> {
    const { plan } = this.#request;
    // every result is known by its id before the first change looks for those it waits for
    const start = deferred();
    for (const change of plan.hostChanges) {
      const result = start.promise.then(() => this.#runHost(change));
      this.#watch(change.id, result);
      if (change.action === "import" || change.action === "claim")
        this.#prepares(change.host, result);
    }
    for (const change of plan.pods) {
      const prepared = deferred();
      // what follows in a later wave is not prepared before that
      if (change.afterWave === undefined) this.#prepares(change.host, prepared.promise);
      const begun = deferred();
      this.#begun.set(change.id, begun.promise);
      const result = start.promise.then(() =>
        this.#runPod(change, prepared.resolve, begun.resolve),
      );
      this.#watch(change.id, result);
    }
    start.resolve();
    const returns = this.#rollouts.takeBack(this.#results, (session, task) =>
      session.run(() => this.#global(task)),
    );
    returns.catch(this.#request.onCrash);
    const ended = await Promise.allSettled(this.#results.values());
    const back = await returns;
    return ended.map((each) => {
      if (each.status === "rejected") throw each.reason;
      return back.get(each.value.id) ?? each.value;
    });
  }

  #watch(id: string, result: Promise<ChangeOutcome>): void {
    result.catch(this.#request.onCrash);
    this.#results.set(id, result);
  }

  async #runHost(change: HostChange): Promise<ChangeOutcome> {
    const session = this.#request.sessions.get(change.host);
    const blocked =
      this.#blocked(change) ??
      (await this.#failedBefore(change.after)) ??
      (await this.#rollouts.mayGoBack(change, this.#results));
    if (session === undefined || blocked !== undefined) {
      const why: Failure = blocked ?? { status: "not-run", reason: change.text };
      return this.#told(hostOutcome(change, { ...why, ms: 0 }));
    }
    const outcome = await session.run(() =>
      this.#global(() => runHostChange(change, session, this.#request)),
    );
    return this.#told(outcome);
  }

  async #runPod(
    change: PodChange,
    prepared: () => void,
    begun: () => void,
  ): Promise<ChangeOutcome> {
    const { id, host, pod, action } = change;
    const session = this.#request.sessions.get(host);
    if (session === undefined) {
      prepared();
      const reason = this.#request.unreachable.get(host) ?? "its host was not reached";
      return this.#told({ id, host, pod, action, status: "not-run", reason, ms: 0 });
    }
    const run = new PodRun(change, session, this.#request);
    try {
      await this.#enterWave(run, session);
      await this.#prepare(run, session);
    } finally {
      prepared();
    }
    await this.#finish(run, session, begun);
    run.succeed();
    const outcome = run.outcome as ChangeOutcome;
    this.#rollouts.note(outcome);
    return outcome;
  }

  /** Waits for the wave of a service's rollout that the change is in. */
  async #enterWave(run: PodRun, session: HostSession): Promise<void> {
    const { id, afterWave = [] } = run.change;
    await Promise.all(afterWave.map((other) => this.#results.get(other)));
    const refusal = await this.#rollouts.enter(id, session.signal);
    const held = this.#rollouts.held(id);
    if (refusal !== undefined) await run.skip(refusal);
    else if (held !== undefined) run.leave(held.reason, { remedy: held.remedy, waits: true });
  }

  async #prepare(run: PodRun, session: HostSession): Promise<void> {
    if (run.outcome !== undefined) return;
    const { after } = run.change;
    const hostFailure = await this.#failedBefore(after.filter((id) => this.#hostChanges.has(id)));
    if (hostFailure?.waits === true) run.leave(hostFailure.reason, waitsPart(hostFailure));
    else if (hostFailure !== undefined) await run.skip(hostFailure.reason);
    else if (this.#isEnding(session)) run.leave("the apply was stopped");
    else if (run.has("prepare"))
      await this.#limited(session, () => run.run("prepare"), { ahead: false });
  }

  async #finish(run: PodRun, session: HostSession, begun: () => void): Promise<void> {
    const { id, after, afterStart = [], afterWave = [] } = run.change;
    const apart = new Set([...afterStart, ...afterWave]);
    const podFailure = await this.#failedBefore(
      after.filter((other) => !this.#hostChanges.has(other) && !apart.has(other)),
    );
    const startFailure = await this.#failedToStart(afterStart);
    if (run.outcome !== undefined) return;
    const refusal = this.#rollouts.refusal(id);
    if (refusal !== undefined) return await this.#limited(session, () => run.skip(refusal));
    const failure = podFailure ?? startFailure;
    if (failure !== undefined) {
      if (failure.status === "not-run") run.leave(failure.reason, waitsPart(failure));
      else await this.#limited(session, () => run.skip(failure.reason));
      return;
    }
    if (run.stops) await Promise.all(this.#preparations.get(run.change.host) ?? []);
    await this.#limited(session, () => run.run("act"));
    if (run.outcome === undefined) begun();
    // waiting costs nothing: others go on meanwhile
    if (run.has("wait")) await run.run("wait");
    if (run.has("finish")) await this.#limited(session, () => run.run("finish"));
  }

  /**
   * Host first: whoever waits for a busy host must not keep others from theirs. What is prepared continues
   * before more is prepared: an engine is at work early, and what a kill leaves half-way is little.
   */
  async #limited(
    session: HostSession,
    task: () => Promise<void>,
    options = { ahead: true },
  ): Promise<void> {
    await session.run(() => this.#global(task, options), options);
  }

  async #failedBefore(ids: readonly string[]): Promise<Failure | undefined> {
    const outcomes = await Promise.all(ids.map((id) => this.#results.get(id)));
    const failed = outcomes.filter((outcome) => outcome !== undefined && outcome.status !== "done");
    const first =
      failed.find((outcome) => outcome?.status !== "not-run") ??
      failed.find((outcome) => outcome?.waits !== true) ??
      failed[0];
    if (first === undefined) return undefined;
    if (first.status === "not-run") {
      const reason = `it comes after ${first.id}, which did not run`;
      return { status: "not-run", reason, ...waitsPart(first) };
    }
    const what = {
      failed: "failed",
      "rolled-back": "was rolled back",
      skipped: "was skipped",
      done: "",
    };
    return { status: "skipped", reason: `it comes after ${first.id}, which ${what[first.status]}` };
  }

  /** Waits until changes have started their processes. @returns the first that ended without */
  async #failedToStart(ids: readonly string[]): Promise<Failure | undefined> {
    const open = await Promise.all(
      ids.map(async (id) => {
        const isBegun = this.#begun.get(id)?.then(() => true);
        const isOver = this.#results.get(id)?.then(() => false);
        return (await Promise.race([isBegun, isOver])) === false ? [id] : [];
      }),
    );
    return await this.#failedBefore(open.flat());
  }

  #blocked({ id, host, action, text }: HostChange): Failure | undefined {
    const reason = this.#request.unreachable.get(host);
    if (reason !== undefined || action === "unreachable")
      return { status: "not-run", reason: reason ?? text };
    const isForLater = (action === "import" || action === "claim") && this.#waiting.has(id);
    if (!isForLater) return undefined;
    return { status: "not-run", reason: "only waiting pods need it", waits: true };
  }

  /** The change itself reports a lost lock. */
  #isEnding({ signal, lock }: HostSession): boolean {
    return this.#request.draining.aborted || (signal.aborted && !lock.signal.aborted);
  }

  #prepares(host: string, work: Promise<unknown>): void {
    const list = this.#preparations.get(host);
    if (list === undefined) this.#preparations.set(host, [work]);
    else list.push(work);
  }

  #told(outcome: ChangeOutcome): ChangeOutcome {
    this.#request.onEvent({ type: "change-done", id: outcome.id, outcome });
    return outcome;
  }
}

/** What a change that comes after one that waits has in common with it. */
function waitsPart({ waits, remedy }: Waits): Waits {
  if (waits !== true) return {};
  return { waits, ...(remedy === undefined ? {} : { remedy }) };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
