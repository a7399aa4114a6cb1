import { StowageError } from "../../errors/index.ts";
import { anySignal } from "../../internal/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { BackOff } from "./back-off.ts";
import { Listeners } from "./listeners.ts";
import { type Look, lookAtFleet, planWhole } from "./look.ts";
import { MACHINE_CLOCK } from "./machine-clock.ts";
import { type Mended, Mender } from "./mender.ts";
import { Probing } from "./probing.ts";
import { Told } from "./told.ts";
import { type WakeKind, Wakes } from "./wakes.ts";
import type { WatchLocks } from "./watch-lock.ts";
import type { Declaration, WatchClock, WatchEnd, WatchRequest } from "./watch-request.ts";

/** How often it is looked whether the declaration changed. */
const DECLARATION_MS = 2000;
/** When it is tried again after a host was locked. */
const LOCKED_MS = 1000;
/** Passes that fail. */
const PASSES = { firstMs: 1000, calmMs: 60_000 };
/** How far the time between two whole plans may be from what it is said to be. */
const JITTER = 0.1;
/** A pass is followed by a pause half as long as it was, up to this. */
const REST_MS = 1000;
/** After drift was repaired it is looked whether all is well. */
const MENDED_MS = 1000;

/** What a whole look has come to before its plan. */
interface Seen extends Pick<Mended, "outcomes"> {
  readonly look: Look;
  readonly declaration: Declaration;
  readonly ms: number;
}

/** A fleet that is being watched. */
export class Watch {
  readonly #request: WatchRequest;
  readonly #locks: WatchLocks | undefined;
  readonly #clock: WatchClock;
  readonly #wakes: Wakes;
  readonly #mender: Mender;
  readonly #told: Told;
  readonly #failures: BackOff;
  readonly #crash = new AbortController();
  /** Aborted when a plan that is being made is of no use any more. */
  #planning = new AbortController();
  #declaration: Declaration;
  /** Of a watch that stays: probes are asked several times before they count. */
  #probing: Probing | undefined;

  constructor(request: WatchRequest, locks: WatchLocks | undefined) {
    this.#request = request;
    this.#locks = locks;
    this.#clock = request.clock ?? MACHINE_CLOCK;
    this.#wakes = new Wakes(this.#clock);
    this.#mender = new Mender(request, this.#clock);
    this.#told = new Told(request.onEvent);
    this.#failures = new BackOff({ ...PASSES, maxMs: request.times.fullIntervalMs });
    this.#declaration = request.source.first;
  }

  /** One look, and what follows from it. */
  async once(): Promise<WatchEnd> {
    const declaration = this.#declaration;
    const seen = await lookAtFleet(this.#request, declaration, []);
    this.#told.seen(seen);
    const restarted = await this.#mender.restart(seen, declaration);
    const look = await planWhole(this.#request, declaration, seen, this.#request.drain);
    this.#told.look(look, declaration, "full", 0);
    if (look.refusal !== undefined) {
      this.#request.onEvent({ type: "failed", reason: look.refusal });
    }
    const mended = await this.#mender.mendDrift(look, declaration);
    const outcomes = [...restarted.outcomes, ...mended.outcomes];
    // what an engine is given time for is given it by the next look
    const isOpen = this.#told.pending(look, outcomes);
    const isFailed = outcomes.some(({ status, waits }) => status !== "done" && waits !== true);
    if (isFailed || look.refusal !== undefined) return "failed";
    return isOpen ? "drift" : "done";
  }

  /** Watches until it is stopped. */
  async run(): Promise<void> {
    const { drain, onEvent } = this.#request;
    const { manifest } = this.#declaration;
    onEvent({ type: "watching", fleet: manifest.name, hosts: Object.keys(manifest.hosts) });
    const ends = [drain, this.#crash.signal, ...(this.#locks ? [this.#locks.signal] : [])];
    const signal = anySignal(ends);
    const crash = (error: unknown): void => this.#crash.abort(error);
    const listeners = new Listeners(this.#request, this.#clock, this.#wakes, crash);
    const probing = new Probing(this.#request, this.#clock, this.#wakes, crash);
    this.#probing = probing;
    if (this.#locks !== undefined) this.#locks.onEnd = () => this.#wakes.ask("restarts");
    const follow = async (now: FleetManifest): Promise<void> => {
      await Promise.all([listeners.follow(now), probing.follow(now)]);
    };
    try {
      await follow(manifest);
      const following = this.#followDeclaration(follow, signal).catch(crash);
      this.#wakes.ask("full");
      for (;;) {
        const kind = await this.#wakes.next(signal);
        if (kind === undefined) break;
        await this.#pass(kind, signal);
      }
      onEvent({ type: "stopping" });
      await following;
    } finally {
      await Promise.all([listeners.stop(), probing.stop()]);
    }
    if (!drain.aborted) signal.throwIfAborted();
  }

  /** Fails only by a bug of Stowage: what goes wrong is reported, and tried again. */
  async #pass(kind: WakeKind, signal: AbortSignal): Promise<void> {
    const beganAt = this.#clock.now();
    const isFull = kind === "full";
    if (isFull) this.#askForNextFull();
    try {
      if (isFull) await this.#locks?.take(this.#declaration.manifest, signal);
      const declaration = this.#declaration;
      const unhealthy = this.#probing?.unhealthy() ?? [];
      const look = await lookAtFleet(this.#request, declaration, unhealthy);
      const ms = this.#clock.now() - beganAt;
      this.#told.seen(look);
      if (!isFull) this.#told.look(look, declaration, kind, ms);
      const { outcomes, nextInMs } = await this.#mender.restart(look, declaration);
      if (nextInMs !== undefined) this.#wakes.ask("restarts", nextInMs);
      if (isFull) await this.#mendWhole({ look, declaration, ms, outcomes }, signal);
      // one that came back since is not to be watched by others
      else await this.#locks?.take(declaration.manifest, signal, reachedHosts(look));
      this.#told.unlocked();
    } catch (error) {
      if (signal.aborted) return;
      if (!StowageError.is(error)) throw error;
      if (error.code === "aborted") {
        this.#told.locked(whoLocks(error));
        this.#wakes.ask(kind, LOCKED_MS);
      } else this.#fail(error.message);
    }
    // a pod that ends all the time must not keep the machine busy
    await this.#clock.sleep(Math.min(REST_MS, (this.#clock.now() - beganAt) / 2), signal);
  }

  /** Plans all of what was seen and does it; `outcomes`: of what was started again before. */
  async #mendWhole(seen: Seen, signal: AbortSignal): Promise<void> {
    const beganAt = this.#clock.now();
    const { declaration } = seen;
    const look = await this.#planMeanwhile(seen, signal);
    // a plan of what is no longer declared is of no use; that the other one be read is asked for
    if (look === undefined || declaration !== this.#declaration) return;
    this.#told.look(look, declaration, "full", seen.ms + this.#clock.now() - beganAt);
    const done = await this.#mender.mendDrift(look, declaration);
    const outcomes = [...seen.outcomes, ...done.outcomes];
    this.#told.pending(look, outcomes);
    if (done.nextInMs !== undefined) this.#wakes.ask("full", done.nextInMs);
    const isMended = outcomes.some(({ status }) => status !== "not-run");
    if (look.plan !== undefined && isMended) this.#wakes.ask("full", MENDED_MS);
    if (look.refusal !== undefined) this.#fail(look.refusal);
    else this.#failures.forget("");
  }

  /**
   * Plans, which may wait for registries: what ends meanwhile is started again all the same.
   *
   * @returns undefined when something else is declared by now
   */
  async #planMeanwhile(
    { look, declaration }: Seen,
    signal: AbortSignal,
  ): Promise<Look | undefined> {
    const changed = new AbortController();
    this.#planning = changed;
    const end = new AbortController();
    const until = anySignal([signal, changed.signal]);
    const planned = planWhole(this.#request, declaration, look, until).finally(() => end.abort());
    // it is asked for below, once nothing is being started any more
    planned.catch(() => undefined);
    for (;;) {
      const kind = await this.#wakes.next(anySignal([signal, end.signal]), "restarts");
      if (kind === undefined) break;
      await this.#pass(kind, signal);
    }
    try {
      return await planned;
    } catch (error) {
      if (changed.signal.aborted) return undefined;
      throw error;
    }
  }

  #fail(reason: string): void {
    this.#request.onEvent({ type: "failed", reason });
    const { pauseMs } = this.#failures.tried("", this.#clock.now());
    this.#wakes.ask("full", pauseMs);
  }

  #askForNextFull(): void {
    const { times, random = Math.random } = this.#request;
    this.#wakes.ask("full", times.fullIntervalMs * (1 - JITTER + 2 * JITTER * random()));
  }

  /** Takes a changed declaration over; of a broken one the last good one is kept. */
  async #followDeclaration(
    follow: (manifest: FleetManifest) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { source, onEvent } = this.#request;
    for (;;) {
      await this.#clock.sleep(DECLARATION_MS, signal);
      if (signal.aborted) return;
      try {
        const changed = await source.changed();
        if (changed === undefined) continue;
        this.#declaration = changed;
        this.#planning.abort();
        this.#mender.beginAnew();
        const pods = Object.values(changed.manifest.hosts).flatMap(({ pods: each = {} }) =>
          Object.keys(each),
        );
        await follow(changed.manifest);
        const hosts = Object.keys(changed.manifest.hosts);
        onEvent({ type: "declaration", pods: pods.length, hosts });
        this.#wakes.ask("full");
      } catch (error) {
        if (!StowageError.is(error)) throw error;
        onEvent({ type: "declaration-broken", reason: error.message });
      }
    }
  }
}

function reachedHosts({ observation: { hosts } }: Look): ReadonlySet<string> {
  return new Set([...hosts].flatMap(([name, { kind }]) => (kind === "observed" ? [name] : [])));
}

/** Who holds which lock: what else the error advises is for a command that ends. */
function whoLocks({ message, context: { host, holder } }: StowageError): string {
  return holder === undefined ? message : `host "${host}" is locked by ${holder}`;
}
