/** The times of a {@link BackOff}. */
export interface BackOffTimes {
  /** Pause after the first try. */
  readonly firstMs: number;
  /** The longest pause. */
  readonly maxMs: number;
  /** What goes well for longer than its last pause and this has recovered. */
  readonly calmMs: number;
}

interface Tries {
  readonly count: number;
  readonly lastAt: number;
  readonly pauseMs: number;
}

/**
 * Pauses between tries of one thing, by its id: none before the first one, then each twice as long as
 * the one before, up to a limit. Reads no clock.
 */
export class BackOff {
  readonly #times: BackOffTimes;
  readonly #tries = new Map<string, Tries>();

  constructor(times: BackOffTimes) {
    this.#times = times;
  }

  /** When the next try may be; a moment in the past for one that may be now. */
  dueAt(id: string, now: number): number {
    const tries = this.#recall(id, now);
    return tries === undefined ? now : tries.lastAt + tries.pauseMs;
  }

  /** Notes a try. @returns the pause after it, and how many there were */
  tried(id: string, now: number): { readonly pauseMs: number; readonly count: number } {
    const { firstMs, maxMs } = this.#times;
    const count = (this.#recall(id, now)?.count ?? 0) + 1;
    const pauseMs = Math.min(maxMs, firstMs * 2 ** Math.min(count - 1, 30));
    this.#tries.set(id, { count, lastAt: now, pauseMs });
    return { pauseMs, count };
  }

  forget(id: string): void {
    this.#tries.delete(id);
  }

  /** Pauses that are not over, by id, ms. */
  pauses(now: number): ReadonlyMap<string, number> {
    const left = [...this.#tries].map(
      ([id, { lastAt, pauseMs }]) => [id, lastAt + pauseMs - now] as const,
    );
    return new Map(left.filter(([, ms]) => ms > 0));
  }

  #recall(id: string, now: number): Tries | undefined {
    const tries = this.#tries.get(id);
    if (tries === undefined) return undefined;
    if (now - tries.lastAt < tries.pauseMs + this.#times.calmMs) return tries;
    this.#tries.delete(id);
    return undefined;
  }
}
