import { expect, test } from "vitest";
import { type CapabilityTable, capabilityOf, podState } from "./index.ts";

const table: CapabilityTable = {
  containers: { support: "native" },
  "containers.*.resources.memoryBytes": { support: "native", change: "restart" },
  "restart.policy": [
    { support: "native", values: ["no"] },
    { support: "unsupported", reason: "it has none" },
  ],
};

test("capabilityOf() takes the nearest entry at or above a field", () => {
  expect(capabilityOf(table, "containers.*.mounts[*].path", "/x").support).toBe("native");
  expect(capabilityOf(table, "containers.*.resources.memoryBytes", 1).change).toBe("restart");
});

test("capabilityOf() tells values apart", () => {
  expect(capabilityOf(table, "restart.policy", "no").support).toBe("native");
  expect(capabilityOf(table, "restart.policy", "always")).toMatchObject({
    support: "unsupported",
    reason: "it has none",
  });
});

test("capabilityOf() takes a field that nothing is said of for unsupported", () => {
  expect(capabilityOf(table, "hostname", "x").support).toBe("unsupported");
});

test.each([
  [["running", "running"], "running"],
  [["running", "exited"], "degraded"],
  [["prepared", "running"], "prepared"],
  [["exited", "exited"], "exited"],
  [["running", "missing"], "incomplete"],
  [["running", "unknown"], "unknown"],
  [[], "incomplete"],
] as const)("podState() of %j is %s", (states, expected) => {
  expect(podState(states)).toBe(expected);
});
