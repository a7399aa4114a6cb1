import { describe, expect, test } from "vitest";
import { signalNumber } from "./signal-number.ts";

describe("signalNumber()", () => {
  test.each([
    ["SIGTERM", 15],
    ["TERM", 15],
    ["sigquit", 3],
    ["15", 15],
    ["SIGRTMIN", 34],
    ["SIGRTMIN+3", 37],
    ["SIGRTMAX-1", 63],
  ])("%s is %i", (name, number) => expect(signalNumber(name)).toBe(number));

  test.each(["SIGNOPE", "0", "65", "SIGRTMIN+99", ""])("%j is no signal", (name) => {
    expect(() => signalNumber(name)).toThrow(/Linux has no such signal/);
  });
});
