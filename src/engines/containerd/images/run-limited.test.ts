import { setImmediate as tick } from "node:timers/promises";
import { expect, test } from "vitest";
import { runLimited } from "./run-limited.ts";

test("runLimited() never runs more than its limit, starts in order, and goes on after a failure", async () => {
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const tasks = Array.from({ length: 9 }, (_, at) => async () => {
    started.push(at);
    running += 1;
    most = Math.max(most, running);
    await tick();
    running -= 1;
    if (at === 1) throw new Error("one failed");
  });
  const results = await Promise.allSettled(runLimited(3, tasks));
  expect(most).toBe(3);
  expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(results.map(({ status }) => status === "rejected")).toEqual(
    tasks.map((_, at) => at === 1),
  );
});
