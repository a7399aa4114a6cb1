import { expect, test } from "vitest";
import {
  applied,
  fleet,
  hostWith,
  input,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import { plan } from "./index.ts";

const LOST = "its directory was deleted from the host, and what was in it is lost; it is made anew";
const spec = pod(
  { mounts: [{ volume: "data", path: "/d" }] },
  { volumes: { data: { kind: "named", name: "d" } } },
);
const old = applied(spec);
const nothing = { volumes: new Map() };
const reason = {
  kind: "drift",
  path: "volumes.data",
  verdict: "replace",
  text: expect.stringContaining(LOST),
};

test("a deleted volume of a running pod is said, and not made anew under a process that has the old one", () => {
  const world = hostWith([observed("web", old)], [record("web", [old])], nothing);
  const [change] = plan(input(fleet({ web: spec }), world)).pods;
  expect(change).toMatchObject({ action: "replace", reasons: [reason] });
  expect(change?.steps.map(({ kind }) => kind)).toEqual([
    "create-volume",
    "prepare",
    "stop",
    "start",
    "wait-healthy",
    "commit",
    "remove",
  ]);
});

test("a deleted volume of a pod that is gone as well is said", () => {
  const world = hostWith([], [record("web", [old])], nothing);
  const [change] = plan(input(fleet({ web: spec }), world)).pods;
  expect(change).toMatchObject({ action: "create", reasons: [{ kind: "state" }, reason] });
});

test("of a new volume, and of one that is not declared any more, nothing is said", () => {
  const before = applied(pod());
  const world = hostWith([observed("web", before)], [record("web", [before])], nothing);
  expect(plan(input(fleet({ web: spec }), world)).pods[0]?.reasons).not.toContainEqual(reason);
  const gone = hostWith([observed("web", old)], [record("web", [old])], nothing);
  expect(plan(input(fleet({ web: pod() }), gone)).pods[0]?.reasons).not.toContainEqual(reason);
});
