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
