import { setTimeout as delay } from "node:timers/promises";
import type { WatchClock } from "./watch-request.ts";

/** The clock of the machine that watches. */
export const MACHINE_CLOCK: WatchClock = {
  now: () => performance.now(),
  // an end of the wait is no error
  sleep: async (ms, signal) => await delay(ms, undefined, { signal }).catch(() => undefined),
};
