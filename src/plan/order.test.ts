import { expect, test } from "vitest";
import {
  applied,
  fleet,
  host,
  hostWith,
  input,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import { brakes, plan } from "./index.ts";

test("plan() lets a pod wait for those that it depends on", () => {
  const made = plan(input(fleet({ db: pod(), web: pod({}, { dependsOn: ["db"] }) }), host()));
  expect(made.pods.find(({ pod: name }) => name === "web")?.after).toContain("a/db");
});

test.each([
  ["named", { kind: "named", name: "data" }, {}, true],
  ["bind", { kind: "bind", path: "/srv" }, {}, true],
  ["named and only read", { kind: "named", name: "data" }, { readOnly: true }, false],
] as const)(
  "plan() lets a pod with another name begin after the one that had its volume open (%s)",
  (_, volume, how, waits) => {
    const spec = pod(
      { mounts: [{ volume: "v", path: "/d", ...how }] },
      { volumes: { v: { ...volume } } },
    );
    const old = applied(spec);
    const world = hostWith([observed("db", old)], [record("db", [old])]);
    const made = plan(input(fleet({ postgres: spec }), world));
    const after = made.pods.find(({ pod: name }) => name === "postgres")?.after ?? [];
    expect(after.includes("a/db")).toBe(waits);
  },
);

test("plan() refuses pods that trade their ports in one apply", () => {
  const ports = (port: number) => ({ network: { mode: "host" as const }, ports: [{ host: port }] });
  const [a, b] = [applied(pod({}, ports(80))), applied(pod({}, ports(81)))];
  const world = hostWith(
    [observed("a", a), observed("b", b)],
    [record("a", [a]), record("b", [b])],
  );
  const manifest = fleet({ a: pod({}, ports(81)), b: pod({}, ports(80)) });
  expect(() => plan(input(manifest, world))).toThrow(/wait for each other: a\/a → a\/b → a\/a/);
  expect(() => plan(input(manifest, world))).toThrow(
    "a/a gets port 81/tcp, which a/b holds until it has changed: declare a/b without that port",
  );
  // and that is a way out
  const between = plan(input(fleet({ a: pod({}, ports(80)), b: pod() }), world));
  expect(between.pods.map(({ id, action }) => [id, action])).toEqual([["a/b", "replace"]]);
  const free = applied(pod());
  const then = hostWith(
    [observed("a", a), observed("b", free)],
    [record("a", [a]), record("b", [free])],
  );
  const made = plan(input(manifest, then));
  expect(made.pods.find(({ pod: name }) => name === "b")?.after).toContain("a/a");
  expect(made.pods.find(({ pod: name }) => name === "a")?.after).not.toContain("a/b");
});

test("brakes() stops a plan that removes more than half of the running pods, unless so many are allowed", () => {
  const names = ["a", "b", "c"];
  const old = applied(pod());
  const world = hostWith(
    names.map((name) => observed(name, old)),
    names.map((name) => record(name, [old])),
  );
  const made = plan(input(fleet({ a: pod() }), world));
  expect(() => brakes(made)).toThrow(
    /would remove 2 of 3 running pods \(a\/b, a\/c\).*--allow-removals 2/,
  );
  expect(() => brakes(made, { allowRemovals: 2 })).not.toThrow();
  expect(() => brakes(plan(input(fleet({ a: pod(), b: pod() }), world)))).not.toThrow();
});
