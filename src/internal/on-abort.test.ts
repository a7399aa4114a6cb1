import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { onAbort } from "./on-abort.ts";

test("onAbort() acts once for each who waits, with one listener a signal", () => {
  const stop = new AbortController();
  let listeners = 0;
  const { addEventListener } = stop.signal;
  stop.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners += 1;
    addEventListener.apply(stop.signal, args);
  };
  const acted: number[] = [];
  const waiting = [1, 2, 3].map((each) => onAbort(stop.signal, () => acted.push(each)));
  waiting[1]?.[Symbol.dispose]();
  stop.abort();
  stop.abort();
  expect(acted).toEqual([1, 3]);
  expect(listeners).toBe(1);
  onAbort(stop.signal, () => acted.push(4));
  expect(acted).toEqual([1, 3, 4]);
});

test("onAbort() leaves no listener when nobody waits any more", () => {
  const { signal } = new AbortController();
  const listeners = () => getEventListeners(signal, "abort").length;
  const [one, other] = [onAbort(signal, () => {}), onAbort(signal, () => {})];
  one[Symbol.dispose]();
  expect(listeners()).toBe(1);
  other[Symbol.dispose]();
  other[Symbol.dispose]();
  expect(listeners()).toBe(0);
  onAbort(signal, () => {});
  expect(listeners()).toBe(1);
});
