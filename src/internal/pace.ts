import { setTimeout as delay } from "node:timers/promises";

/** Lets so many bytes pass in a second, whoever asks; waits for those that were let pass before. */
export type Pace = (bytes: number, signal: AbortSignal | undefined) => Promise<void>;

/** A pace of a rate; without one all pass at once. */
export function createPace(bytesPerSecond: number | undefined): Pace {
  if (bytesPerSecond === undefined) return async () => {};
  let free = performance.now();
  return async (bytes, signal) => {
    const now = performance.now();
    const at = Math.max(now, free);
    free = at + (bytes / bytesPerSecond) * 1000;
    if (at > now) await delay(at - now, undefined, signal === undefined ? {} : { signal });
  };
}
