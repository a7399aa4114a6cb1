import { expect, test } from "vitest";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import { defaultDeadlineMs, isCancellable } from "./deadlines.ts";

const rpc = (name: keyof typeof Tasks.method) => `${Tasks.typeName}/${Tasks.method[name].name}`;

test("Tasks.Create is never cancelled and has minutes", () => {
  expect(isCancellable(rpc("create"))).toBe(false);
  expect(defaultDeadlineMs(rpc("create"))).toBeGreaterThanOrEqual(120_000);
});

test("every other call has a deadline, but Wait", () => {
  for (const name of ["start", "delete", "get", "list", "kill", "exec", "update"] as const) {
    expect(defaultDeadlineMs(rpc(name))).toBeLessThanOrEqual(120_000);
    expect(isCancellable(rpc(name))).toBe(true);
  }
  expect(defaultDeadlineMs(rpc("wait"))).toBe(Number.POSITIVE_INFINITY);
});
