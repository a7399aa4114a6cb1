import { setTimeout as sleep } from "node:timers/promises";
import type { EngineReader } from "../../engine/index.ts";
import type { ObservedEngine } from "../../model/index.ts";

/** Time between two observations at least, and longer when one takes long. */
const PAUSE_MS = 25;

/** Observations of the pods of one engine, shared by all who wait for something on it. */
export class ObservationFeed {
  readonly #engine: EngineReader;
  readonly #signal: AbortSignal;
  #next: Promise<ObservedEngine> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #last: { readonly beganAt: number; readonly seen: ObservedEngine } | undefined;

  constructor(engine: EngineReader, signal: AbortSignal) {
    this.#engine = engine;
    this.#signal = signal;
  }

  /** An observation that began no longer ago than `maxAgeMs`; 0 for one that begins from now on. */
  async observe(maxAgeMs: number): Promise<ObservedEngine> {
    const last = this.#last;
    if (last !== undefined && performance.now() - last.beganAt < maxAgeMs) return last.seen;
    this.#next ??= this.#after(this.#running);
    return await this.#next;
  }

  async #after(running: Promise<unknown>): Promise<ObservedEngine> {
    await running;
    if (this.#last !== undefined) await sleep(PAUSE_MS, undefined, { signal: this.#signal });
    // those who come from here on wait for the one after
    this.#next = undefined;
    const beganAt = performance.now();
    const observation = this.#engine.observe({ signal: this.#signal, podsOnly: true });
    this.#running = observation.catch(() => undefined);
    const seen = await observation;
    this.#last = { beganAt, seen };
    return seen;
  }
}
