import {
  brakes,
  type Plan,
  type PodChange,
  planRestarts,
  type Restart,
  waitingChanges,
} from "../../plan/index.ts";
import { applyFleet } from "../apply-fleet.ts";
import type { ApplyFleetRequest } from "../apply-request.ts";
import type { ApplyEvent, ChangeOutcome } from "../execute/events.ts";
import type { FleetObservation } from "../observe/observe-fleet.ts";
import { BackOff } from "./back-off.ts";
import { ENGINE_MS } from "./listeners.ts";
import { endedPaths, type Look } from "./look.ts";
import { narrowPlan, startsEnded } from "./narrow-plan.ts";
import { runRestarts } from "./run-restarts.ts";
import type { Declaration, WatchClock, WatchRequest } from "./watch-request.ts";

/** A pod that runs for so long, and for longer than its last pause, starts with new pauses. */
const CALM_MS = 60_000;
const FIRST_PAUSE_MS = 1000;

/** What was done about a look. */
export interface Mended {
  readonly outcomes: readonly ChangeOutcome[];
  /** When there is more to do; undefined: nothing is known of. */
  readonly nextInMs?: number;
}

/** Does what a look calls for: what restart policies want, and, if drift is to be repaired, the rest of the plan. */
export class Mender {
  readonly #request: WatchRequest;
  readonly #clock: WatchClock;
  #tries: BackOff;
  /** When a pod that its engine is to start again was first seen to have ended. */
  readonly #left = new Map<string, number>();

  constructor(request: WatchRequest, clock: WatchClock) {
    this.#request = request;
    this.#clock = clock;
    this.#tries = newTries(request);
  }

  /** What was tried in vain was something else: it is tried at once. */
  beginAnew(): void {
    this.#tries = newTries(this.#request);
  }

  /** Starts what is due. @throws StowageError `aborted` when a host is locked */
  async restart(look: Look, declaration: Declaration): Promise<Mended> {
    const { restarts } = look.restarts;
    this.#noteEnds(restarts);
    const waits = new Map(restarts.map((each) => [each.change.id, this.#waitMs(each)]));
    const due = new Set([...waits].filter(([, ms]) => ms <= 0).map(([id]) => id));
    const outcomes = due.size === 0 ? [] : await this.#restart(declaration, due, look);
    return mended(
      outcomes,
      [...waits].flatMap(([id, ms]) => (due.has(id) ? [] : [ms])),
    );
  }

  #noteEnds(restarts: readonly Restart[]): void {
    const ended = new Set(restarts.map(({ change }) => change.id));
    for (const id of this.#left.keys()) if (!ended.has(id)) this.#left.delete(id);
    for (const { change, byEngine } of restarts) {
      if (byEngine && !this.#left.has(change.id)) this.#left.set(change.id, this.#clock.now());
    }
  }

  #waitMs({ change: { id } }: Restart): number {
    const now = this.#clock.now();
    const since = this.#left.get(id);
    const engineMs = since === undefined || this.#request.once ? 0 : since + ENGINE_MS - now;
    return Math.max(engineMs, this.#tries.dueAt(id, now) - now);
  }

  async #restart(
    declaration: Declaration,
    due: ReadonlySet<string>,
    { unhealthy }: Look,
  ): Promise<readonly ChangeOutcome[]> {
    return await this.#telling(declaration, true, (request) =>
      runRestarts(request, due, unhealthy),
    );
  }

  /** Does the rest of a plan, if there is one. @throws StowageError `aborted` when a host is locked */
  async mendDrift({ plan, restarts }: Look, declaration: Declaration): Promise<Mended> {
    if (plan === undefined || this.#request.drift === "report") return { outcomes: [] };
    const ended = endedPaths(restarts);
    const own = plan.pods.filter((change) => !startsEnded(change, ended.get(change.id) ?? NONE));
    const waiting = waitingChanges(plan);
    const all = [...plan.hostChanges.filter(({ steps }) => steps.length > 0), ...own].filter(
      ({ id }) => !waiting.has(id),
    );
    const later = all.map(({ id }) => this.#pauseMs(id)).filter((ms) => ms > 0);
    if (all.length === later.length) return mended([], later);
    const outcomes = await this.#telling(declaration, false, async (request) => {
      const narrow = (fresh: Plan, observation: FleetObservation): Plan =>
        this.#narrow(fresh, observation, declaration);
      return (await applyFleet({ ...request, command: "watch", narrow })).outcomes;
    });
    return mended(outcomes, later);
  }

  /** Tells of each change when it is done: one on another host may take minutes to become healthy. */
  async #telling(
    declaration: Declaration,
    isRestart: boolean,
    work: (request: ApplyFleetRequest) => Promise<readonly ChangeOutcome[]>,
  ): Promise<readonly ChangeOutcome[]> {
    const told = new Map<string, ChangeOutcome["status"]>();
    const apply = this.#applyRequest(declaration);
    const onEvent = (event: ApplyEvent): void => {
      apply.onEvent(event);
      if (event.type !== "change-done") return;
      told.set(event.id, event.outcome.status);
      this.#note(event.outcome, isRestart);
    };
    const outcomes = await work({ ...apply, onEvent });
    // what a rollout rolled back in the end is reported as that
    for (const outcome of outcomes)
      if (told.get(outcome.id) !== outcome.status) this.#note(outcome, isRestart);
    return outcomes;
  }

  /** What is to be done of a plan made under the locks. */
  #narrow(plan: Plan, observation: FleetObservation, { manifest }: Declaration): Plan {
    const { options, allowRemovals } = this.#request;
    const ended = endedPaths(planRestarts({ manifest, hosts: observation.hosts, options }));
    const narrowed = narrowPlan(
      plan,
      (id) => this.#pauseMs(id) > 0,
      (change: PodChange) => startsEnded(change, ended.get(change.id) ?? NONE),
    );
    brakes(narrowed, allowRemovals === undefined ? {} : { allowRemovals });
    return narrowed;
  }

  #pauseMs(id: string): number {
    const now = this.#clock.now();
    return this.#tries.dueAt(id, now) - now;
  }

  #note(outcome: ChangeOutcome, isRestart: boolean): void {
    const { onEvent } = this.#request;
    if (outcome.status === "not-run") return;
    onEvent({ type: "changed", outcome, isRestart });
    const { pauseMs, count } = this.#tries.tried(outcome.id, this.#clock.now());
    // of one that was started for the first time there is nothing to tell yet
    if (count > 1 || outcome.status !== "done")
      onEvent({ type: "backing-off", id: outcome.id, pauseMs, tries: count });
  }

  #applyRequest({ manifest, manifestDir, lockFile }: Declaration): ApplyFleetRequest {
    const { drain, abort, once: _, onEvent, ...request } = this.#request;
    return {
      ...request,
      manifest,
      manifestDir,
      lockFile,
      confirm: async () => true,
      lockTimeoutMs: 0,
      onEvent: (event) => {
        if (event.type === "registry-waiting") onEvent(event);
      },
      draining: drain,
      signal: abort,
    };
  }
}

function newTries({ times: { maxPauseMs } }: WatchRequest): BackOff {
  const firstMs = Math.min(FIRST_PAUSE_MS, maxPauseMs);
  return new BackOff({ firstMs, maxMs: maxPauseMs, calmMs: CALM_MS });
}

function mended(outcomes: readonly ChangeOutcome[], later: readonly number[]): Mended {
  return later.length === 0
    ? { outcomes }
    : { outcomes, nextInMs: Math.max(0, Math.min(...later)) };
}

const NONE: ReadonlySet<string> = new Set();
