import { setTimeout as sleep } from "node:timers/promises";
import type { EngineReader } from "../../engine/index.ts";
import { type ObservedEngine, objectName, type PodIdentity } from "../../model/index.ts";

/** Time between two observations at least, and longer when one takes long. */
const PAUSE_MS = 25;

interface Observation {
  readonly beganAt: number;
  /** Names of the generations that it tells of. */
  readonly only: ReadonlySet<string>;
  readonly seen: ObservedEngine;
}

/** Observations of the pods of one engine, shared by all who wait for something on it. */
export class ObservationFeed {
  readonly #engine: EngineReader;
  readonly #signal: AbortSignal;
  #next: { readonly only: PodIdentity[]; readonly seen: Promise<ObservedEngine> } | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #last: Observation | undefined;

  constructor(engine: EngineReader, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
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
    if (this.#last !== undefined) await sleep(PAUSE_MS, undefined, { signal: this.#signal });
    // those who come from here on wait for the one after
    this.#next = undefined;
    const beganAt = performance.now();
    const observation = this.#engine.observe({ signal: this.#signal, podsOnly: true, only });
    this.#running = observation.catch(() => undefined);
    const seen = await observation;
    this.#last = { beganAt, only: new Set(only.map((pod) => objectName(pod))), seen };
    return seen;
  }
}
