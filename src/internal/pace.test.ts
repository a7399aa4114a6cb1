import { expect, test } from "vitest";
import { createPace } from "./pace.ts";

test("several that ask at once share one rate", async () => {
  const pace = createPace(100_000);
  const beganAt = performance.now();
  // the last one waits for the 20 000 bytes before it; a timer may be a little early
  await Promise.all([1, 2, 3].map(() => pace(10_000, undefined)));
  expect(performance.now() - beganAt).toBeGreaterThanOrEqual(195);
});

test("an abort ends the waiting", async () => {
  const pace = createPace(1);
  const stop = new AbortController();
  await pace(1_000_000, stop.signal);
  const waiting = pace(1, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow();
});

test("without a rate nobody waits", async () => {
  const pace = createPace(undefined);
  await pace(Number.MAX_SAFE_INTEGER, undefined);
  expect(await pace(Number.MAX_SAFE_INTEGER, undefined)).toBeUndefined();
});
