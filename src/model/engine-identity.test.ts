import { expect, test } from "vitest";
import { engineIdentity, engineName, isSameEngine } from "./engine-identity.ts";

test.each([
  [{ kind: "containerd" }, { kind: "containerd", namespace: "stowage" }, true],
  [{ kind: "containerd" }, { kind: "containerd", runtime: "io.containerd.kata.v2" }, true],
  [{ kind: "containerd" }, { kind: "containerd", namespace: "other" }, false],
  [{ kind: "containerd" }, { kind: "containerd", socket: "/run/c.sock" }, false],
  [{ kind: "containerd" }, { kind: "sim" }, false],
  [{ kind: "sim" }, { kind: "sim", latencyMs: 5, maxPods: 3, runOnce: true }, true],
  [{ kind: "sim" }, { kind: "sim", store: "b" }, false],
] as const)("isSameEngine(%j, %j) is %j", (one, other, same) => {
  expect(isSameEngine(one, other)).toBe(same);
  expect(engineIdentity(one) === engineIdentity(other)).toBe(same);
});

test("engineName() says what tells two engines of a kind apart, and else the kind alone", () => {
  const [first, second] = [{ kind: "sim" }, { kind: "sim", store: "b" }] as const;
  expect(engineName(second)).toBe("sim");
  expect(engineName(second, { kind: "containerd" })).toBe("sim");
  expect(engineName(second, first)).toBe("sim (store b)");
  expect(engineName(first, second)).toBe("sim (no store)");
  expect(engineName({ kind: "containerd", namespace: "x" }, { kind: "containerd" })).toBe(
    "containerd (namespace x)",
  );
});
