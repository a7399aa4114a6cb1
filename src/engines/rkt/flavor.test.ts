import { expect, test } from "vitest";
import { DEFAULT_STAGE1, flavorOf } from "./flavor.ts";

test.each([
  [DEFAULT_STAGE1, "fly"],
  ["coreos.com/rkt/stage1-coreos:1.30.0", "host"],
  ["coreos.com/rkt/stage1-host:1.30.0", "host"],
])("%s is of the flavour %s", (stage1, flavor) => expect(flavorOf(stage1)).toBe(flavor));

test("a stage1 image of another kind is refused", () => {
  expect(() => flavorOf("coreos.com/rkt/stage1-kvm:1.30.0")).toThrow(/not of the flavour/);
});
