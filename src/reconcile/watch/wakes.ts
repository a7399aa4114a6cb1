import { anySignal } from "../../internal/index.ts";
import type { WatchClock } from "./watch-request.ts";

/** Why a watch looks: for what ended, or for everything. */
export type WakeKind = "restarts" | "full";

/** When a watch has to look next. What is asked for several times is done once. */
export class Wakes {
  readonly #clock: WatchClock;
  readonly #at = new Map<WakeKind, number>();
  #told = new AbortController();

  constructor(clock: WatchClock) {
    this.#clock = clock;
  }

  /** Asks for a look, that long from now; one that is due earlier stands. */
  ask(kind: WakeKind, inMs = 0): void {
    const at = this.#clock.now() + inMs;
    if (at >= (this.#at.get(kind) ?? Number.POSITIVE_INFINITY)) return;
    this.#at.set(kind, at);
    this.#told.abort();
  }

  /**
   * Waits for the next look that is due; undefined once the signal is aborted.
   *
   * @param only the kind that is waited for; others stand
   */
  async next(signal: AbortSignal, only?: WakeKind): Promise<WakeKind | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      const wanted = [...this.#at].filter(([kind]) => kind === (only ?? kind));
      const [due] = wanted.toSorted(([, a], [, b]) => a - b);
      const waitMs = due === undefined ? LONG_MS : due[1] - this.#clock.now();
      if (due !== undefined && waitMs <= 0) return this.#take(only);
      this.#told = new AbortController();
      await this.#clock.sleep(Math.min(waitMs, LONG_MS), anySignal([signal, this.#told.signal]));
    }
  }

  /** A whole look is one for what ended as well. */
  #take(only: WakeKind | undefined): WakeKind {
    const now = this.#clock.now();
    const isFull = only !== "restarts" && (this.#at.get("full") ?? Number.POSITIVE_INFINITY) <= now;
    if (isFull) this.#at.delete("full");
    if ((this.#at.get("restarts") ?? Number.POSITIVE_INFINITY) <= now) this.#at.delete("restarts");
    return isFull ? "full" : "restarts";
  }
}

const LONG_MS = 3_600_000;
