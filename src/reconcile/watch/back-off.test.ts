import { expect, test } from "vitest";
import { BackOff } from "./back-off.ts";

const TIMES = { firstMs: 1000, maxMs: 8000, calmMs: 60_000 };

/** Tries as soon as it may each time. @returns the moments of the tries */
function flap(backOff: BackOff, times: number, from = 0): readonly number[] {
  const at: number[] = [];
  let now = from;
  for (let each = 0; each < times; each += 1) {
    now = Math.max(now, backOff.dueAt("a", now));
    backOff.tried("a", now);
    at.push(now);
  }
  return at;
}

test("the first try is at once, then each pause is twice as long, up to the limit", () => {
  expect(flap(new BackOff(TIMES), 7)).toEqual([0, 1000, 3000, 7000, 15_000, 23_000, 31_000]);
});

test("what ran for longer than its last pause and a minute has recovered", () => {
  const backOff = new BackOff(TIMES);
  flap(backOff, 3);
  const last = 3000;
  expect(backOff.dueAt("a", last + 4000 + 59_999)).toBe(last + 4000);
  expect(backOff.dueAt("a", last + 4000 + 60_000)).toBe(last + 64_000);
  expect(backOff.tried("a", last + 64_000)).toEqual({ pauseMs: 1000, count: 1 });
});

test("pauses are one's own, and what is left of them can be told", () => {
  const backOff = new BackOff(TIMES);
  backOff.tried("a", 0);
  backOff.tried("b", 500);
  expect(backOff.dueAt("c", 700)).toBe(700);
  expect([...backOff.pauses(700)]).toEqual([
    ["a", 300],
    ["b", 800],
  ]);
  expect([...backOff.pauses(1200).keys()]).toEqual(["b"]);
  backOff.forget("b");
  expect(backOff.pauses(1200).size).toBe(0);
});
