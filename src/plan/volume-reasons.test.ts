import { describe, expect, test } from "vitest";
import {
  applied,
  fleet,
  hostWith,
  input,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import type { PodSpec } from "../model/index.ts";
import { plan } from "./index.ts";

const LOST =
  "its directory was deleted from the host, and what was in it is lost; it is created again";
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

describe("the owner and mode of a volume that is there", () => {
  const there = { volumes: new Map([["d", { path: "/v/d" }]]) };
  const owned = (rest: object) => ({
    ...spec,
    volumes: { data: { kind: "named" as const, name: "d", ...rest } },
  });
  const note =
    "volume d exists already and keeps its owner and mode, which are set only when it is created; to change them, use chown and chmod on /v/d";
  const notesOf = (declared: PodSpec, before: PodSpec | undefined, world: object = there) => {
    const entries = before === undefined ? [] : [applied(before)];
    const pods = entries.map((entry) => observed("web", entry));
    const records = before === undefined ? [] : [record("web", entries)];
    return plan(input(fleet({ web: declared }), hostWith(pods, records, world))).pods[0]?.notes;
  };

  test.each([
    ["changed", owned({ mode: "0700" }), owned({ mode: "0750" })],
    ["set", owned({ uid: 7 }), owned({})],
    ["not set any more", owned({}), owned({ gid: 7 })],
    ["declared by a new pod", owned({ mode: "0700" }), undefined],
  ])("is not changed where it is %s, and the plan says so", (_, declared, before) => {
    expect(notesOf(declared, before)).toContain(note);
  });

  test("is not spoken of where nobody changes it, or the volume is made", () => {
    const other = { ...owned({ mode: "0700" }), hostname: "other" };
    expect(notesOf(other, owned({ mode: "0700" }))).toEqual([]);
    expect(notesOf(spec, undefined)).toEqual([]);
    expect(notesOf(owned({ mode: "0700" }), undefined, nothing)).toEqual([]);
  });
});
