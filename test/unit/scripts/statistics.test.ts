import { expect, test } from "vitest";
import { measurePairs, median, medianRatio } from "../../../bench/lib/statistics.ts";

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 10, 2], 3],
])("median() of %j is %d", (values, expected) => {
  expect(median(values)).toBe(expected);
});

test("medianRatio() compares within each pair, so that one slow moment does not count", () => {
  const pairs = [
    { oursMs: 100, theirsMs: 50 },
    { oursMs: 900, theirsMs: 450 },
    { oursMs: 100, theirsMs: 10 },
  ];
  expect(medianRatio(pairs)).toBe(2);
});

test("measurePairs() lets each go first in every second pair", async () => {
  const order: string[] = [];
  const run = (name: string) => async () => order.push(name);
  await measurePairs(3, run("ours"), run("theirs"));
  expect(order).toEqual(["ours", "theirs", "theirs", "ours", "ours", "theirs"]);
});
