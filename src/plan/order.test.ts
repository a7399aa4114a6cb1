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
import { FleetManifest, MANIFEST_VERSION } from "../model/index.ts";
import { brakes, plan } from "./index.ts";

test("plan() lets a pod wait for those that it depends on", () => {
  const made = plan(input(fleet({ db: pod(), web: pod({}, { dependsOn: ["db"] }) }), host()));
  expect(made.pods.find(({ pod: name }) => name === "web")?.after).toContain("a/db");
});

test("plan() refuses pods that trade their ports in one apply", () => {
  const ports = (port: number) => ({ network: { mode: "host" as const }, ports: [{ host: port }] });
  const [a, b] = [applied(pod({}, ports(80))), applied(pod({}, ports(81)))];
  const world = hostWith(
    [observed("a", a), observed("b", b)],
    [record("a", [a]), record("b", [b])],
  );
  const manifest = fleet({ a: pod({}, ports(81)), b: pod({}, ports(80)) });
  expect(() => plan(input(manifest, world))).toThrow(/wait for each other: a\/a → a\/b → a\/a/);
});

test("plan() changes canaries first, then no more pods of a service than may be unavailable", () => {
  const spec = pod({}, { service: "web", rollout: { canary: 1, maxUnavailable: 2 } });
  const names = ["a", "b", "c", "d", "e"];
  const manifest = FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: "owner-1",
    hosts: Object.fromEntries(
      names.map((name) => [
        name,
        { address: "local", engine: { kind: "sim" }, pods: { web: spec } },
      ]),
    ),
  });
  const made = plan(input(manifest, host()));
  const after = (name: string) =>
    made.pods.find((change) => change.host === name)?.after.filter((id) => id.endsWith("/web"));
  expect(names.map(after)).toEqual([
    [],
    ["a/web"],
    ["a/web"],
    ["a/web", "b/web"],
    ["a/web", "c/web"],
  ]);
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
