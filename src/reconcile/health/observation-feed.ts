import { setTimeout as sleep } from "node:timers/promises";
import type { EngineReader } from "../../engine/index.ts";
import { type ObservedEngine, objectName, type PodIdentity } from "../../model/index.ts";

/** Time between two observations at least. */
const PAUSE_MS = 25;
/** While the host is at work one is made after so many times what the last one took: it would keep the work waiting. */
const PAUSE_BY_WORK = 4;
const PAUSE_BY_WORK_MAX_MS = 1_000;

interface Observation {
  readonly beganAt: number;
  readonly tookMs: number;
  /** Names of the generations that it tells of. */
  readonly only: ReadonlySet<string>;
  readonly seen: ObservedEngine;
}

/** Observations of how the pods of one engine are, shared by all who wait for something on it. */
export class ObservationFeed {
  readonly #engine: EngineReader;
  readonly #signal: AbortSignal;
  readonly #isAtWork: () => boolean;
  #next: { readonly only: PodIdentity[]; readonly seen: Promise<ObservedEngine> } | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #last: Observation | undefined;

  /** @param isAtWork whether changes are made on the host, which matter more than a look at those made */
  constructor(engine: EngineReader, signal: AbortSignal, isAtWork: () => boolean = () => false) {
    this.#engine = engine;
    this.#signal = signal;
    this.#isAtWork = isAtWork;
  }

  /** An observation of a generation that began no longer ago than `maxAgeMs`; 0 for one that begins from now on. */
  async observe(pod: PodIdentity, maxAgeMs: number): Promise<ObservedEngine> {
    const last = this.#last;
    const isFresh = last !== undefined && performance.now() - last.beganAt < maxAgeMs;
    if (isFresh && last.only.has(objectName(pod))) return last.seen;
    if (this.#next === undefined) {
      const only: PodIdentity[] = [];
      this.#next = { only, seen: this.#after(this.#running, only) };
    }
    this.#next.only.push(pod);
    return await this.#next.seen;
  }

  async #after(running: Promise<unknown>, only: readonly PodIdentity[]): Promise<ObservedEngine> {
    await running;
    if (this.#last !== undefined) await this.#pauseAfter(this.#last);
    // those who come from here on wait for the one after
    this.#next = undefined;
    const beganAt = performance.now();
    const observation = this.#engine.observe({
      signal: this.#signal,
      podsOnly: true,
      statesOnly: true,
      only,
    });
    this.#running = observation.catch(() => undefined);
    const seen = await observation;
    const tookMs = performance.now() - beganAt;
    this.#last = { beganAt, tookMs, only: new Set(only.map((pod) => objectName(pod))), seen };
    return seen;
  }

  async #pauseAfter({ tookMs }: Observation): Promise<void> {
    const longest = Math.min(tookMs * PAUSE_BY_WORK, PAUSE_BY_WORK_MAX_MS);
    const beganAt = performance.now();
    do await sleep(PAUSE_MS, undefined, { signal: this.#signal });
    while (this.#isAtWork() && performance.now() - beganAt < longest);
  }
}
