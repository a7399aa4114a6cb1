import { StowageError } from "../../errors/index.ts";
import { anySignal } from "../../internal/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { BackOff } from "./back-off.ts";
import { Listeners } from "./listeners.ts";
import { type Look, lookAtFleet } from "./look.ts";
import { MACHINE_CLOCK } from "./machine-clock.ts";
import { Mender } from "./mender.ts";
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
/** After drift was mended it is looked whether all is well. */
const MENDED_MS = 1000;

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
    const look = await lookAtFleet(this.#request, this.#declaration, true, []);
    this.#told.look(look, this.#declaration, "full", 0);
    if (look.refusal !== undefined) {
      this.#request.onEvent({ type: "failed", reason: look.refusal });
    }
    const done = await this.#mender.mend(look, this.#declaration);
    // what an engine is given time for is given it by the next look
    const isOpen = this.#told.pending(look, done.outcomes);
    const isFailed = done.outcomes.some(({ status, waits }) => status !== "done" && waits !== true);
    if (isFailed || look.refusal !== undefined) return "failed";
    return isOpen ? "drift" : "done";
  }

  /** Watches until it is told to stop. */
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

  /** Never fails but for a mistake of our own: what goes wrong is told, and tried again. */
  async #pass(kind: WakeKind, signal: AbortSignal): Promise<void> {
    const beganAt = this.#clock.now();
    const isFull = kind === "full";
    if (isFull) this.#askForNextFull();
    try {
      if (isFull) await this.#locks?.take(this.#declaration.manifest, signal);
      const unhealthy = this.#probing?.unhealthy() ?? [];
      const look = await lookAtFleet(this.#request, this.#declaration, isFull, unhealthy);
      this.#told.look(look, this.#declaration, kind, this.#clock.now() - beganAt);
      await this.#act(look);
      if (look.refusal !== undefined) this.#fail(look.refusal);
      else if (isFull) this.#failures.forget("");
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

  async #act(look: Look): Promise<void> {
    const done = await this.#mender.mend(look, this.#declaration);
    if (look.plan !== undefined) this.#told.pending(look, done.outcomes);
    if (done.nextInMs !== undefined) this.#wakes.ask(done.nextKind, done.nextInMs);
    const isMended = done.outcomes.some(({ status }) => status !== "not-run");
    if (look.plan !== undefined && isMended) this.#wakes.ask("full", MENDED_MS);
    this.#told.unlocked();
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

/** Who holds which lock: what else the error advises is for a command that ends. */
function whoLocks({ message, context: { host, holder } }: StowageError): string {
  return holder === undefined ? message : `host "${host}" is locked by ${holder}`;
}
