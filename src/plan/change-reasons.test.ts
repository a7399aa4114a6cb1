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
import type { PodSpec } from "../model/index.ts";
import { plan } from "./index.ts";

test("a container that is declared anew is not said to be gone", () => {
  const old = applied(pod());
  const { main } = pod().containers;
  const spec = { ...pod(), containers: { main, side: main } } as PodSpec;
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  const [change] = plan(input(fleet({ web: spec }), world)).pods;
  expect(change?.action).toBe("replace");
  expect(change?.reasons.map(({ path }) => path)).toContain("containers.side.image");
  expect(change?.reasons.map(({ text }) => text ?? "")).not.toContainEqual(
    expect.stringContaining("gone"),
  );
});

test.each([
  [{}, { T: { secret: { fromEnv: "A" } } }, "it is set to a secret"],
  [{ T: { secret: { fromEnv: "A" } } }, {}, "the secret is not set any more"],
  [
    { T: { secret: { fromEnv: "A" } } },
    { T: { secret: { fromFile: "/a" } } },
    "the source of the secret changed",
  ],
])("what became of a secret is told: %o, then %o", (before, after, text) => {
  const withEnv = (env: object) => {
    const spec = pod();
    return { ...spec, containers: { main: { ...spec.containers["main"], env } } } as PodSpec;
  };
  const old = applied(withEnv(before));
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  const [change] = plan(input(fleet({ web: withEnv(after) }), world)).pods;
  const told = change?.reasons.filter(({ path }) => path === "containers.main.env.T");
  expect(new Set(told?.map((reason) => reason.text))).toEqual(new Set([text]));
});
