import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { EngineReader } from "../../engine/index.ts";
import type { ObservedEngine, PodIdentity } from "../../model/index.ts";
import { ObservationFeed } from "./observation-feed.ts";

const TAKES_MS = 60;
const POD: PodIdentity = { owner: "o", fleet: "f", host: "h", pod: "web", generation: 1 };

/** An engine that takes its time to answer, and when it was asked and had answered. */
function slowEngine() {
  const asked: { readonly at: number; tookMs: number }[] = [];
  const observe = async (): Promise<ObservedEngine> => {
    const one = { at: performance.now(), tookMs: 0 };
    asked.push(one);
    await sleep(TAKES_MS);
    one.tookMs = performance.now() - one.at;
    return { pods: [], images: [], leftovers: [] } as unknown as ObservedEngine;
  };
  return { asked, engine: { observe } as unknown as EngineReader };
}

test("a host at work is looked at for a fifth of the time at most", async () => {
  const { asked, engine } = slowEngine();
  const feed = new ObservationFeed(engine, new AbortController().signal, () => true);
  await feed.observe(POD, 0);
  await feed.observe(POD, 0);
  const [first, second] = asked as [(typeof asked)[0], (typeof asked)[0]];
  expect(second.at - first.at).toBeGreaterThanOrEqual(5 * first.tookMs - 5);
});

test("all who come before a look begins share it", async () => {
  const { asked, engine } = slowEngine();
  const feed = new ObservationFeed(engine, new AbortController().signal);
  await Promise.all(Array.from({ length: 20 }, async () => await feed.observe(POD, 0)));
  expect(asked).toHaveLength(1);
});
