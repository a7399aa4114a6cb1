import { expect, test } from "vitest";
import {
  applied,
  fleet,
  hostWith,
  input,
  OWNER,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import type { PodSpec } from "../model/index.ts";
import { plan, planRollback } from "./index.ts";

const OWN = { owner: OWNER, fleet: fleet({}).name };

/** The steps back after a change from one declaration to another failed at a state of the host. */
function stepsBack(before: PodSpec, after: PodSpec, made: "running" | "exited" | undefined) {
  const old = applied(before);
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  const [change] = plan(input(fleet({ web: after }), world)).pods;
  if (change === undefined) throw new Error("there is nothing to do");
  const fresh = applied(after, 2);
  const pods = [
    observed("web", old, "exited"),
    ...(made === undefined ? [] : [observed("web", fresh, made)]),
  ];
  const steps = planRollback(change, hostWith(pods, [record("web", [old, fresh], 1)]), OWN);
  return steps.map((step) =>
    "generation" in step ? `${step.kind} ${step.generation}` : step.kind,
  );
}

test("planRollback() ends the new generation before it starts the old one, and waits for it", () => {
  expect(stepsBack(pod({ args: ["a"] }), pod({ args: ["b"] }), "running")).toEqual([
    "stop 2",
    "remove 2",
    "start 1",
    "wait-healthy 1",
    "commit 1",
  ]);
});

test("planRollback() gives a restarted generation its old specification back", () => {
  expect(stepsBack(pod({ oomScoreAdj: 1 }), pod({ oomScoreAdj: 2 }), undefined)).toEqual([
    "update 1",
    "start 1",
    "wait-healthy 1",
    "commit 1",
  ]);
});

test("planRollback() has no steps for a change that began with nothing", () => {
  const [change] = plan(input(fleet({ web: pod() }), hostWith([], []))).pods;
  if (change === undefined) throw new Error("there is nothing to do");
  expect(planRollback(change, hostWith([], []), OWN)).toEqual([]);
});
