import { expect, test } from "vitest";
import { anySignal } from "./any-signal.ts";

test("any number may wait for it, and nobody is warned of a leak", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  const [one, other] = [new AbortController(), new AbortController()];
  const signal = anySignal([one.signal, other.signal]);
  let told = 0;
  for (let nth = 0; nth < 20; nth += 1) signal.addEventListener("abort", () => (told += 1));
  // a warning is told in a later turn
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
  other.abort(new Error("that is why"));
  expect(told).toBe(20);
  expect(signal.reason).toEqual(new Error("that is why"));
});
