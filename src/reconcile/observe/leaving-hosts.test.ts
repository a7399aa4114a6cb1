import { expect, test } from "vitest";
import { podOf } from "../../../test/support/sim-fleet.ts";
import { openFleet } from "../../../test/support/web-service.ts";
import type { FleetManifest } from "../../model/index.ts";
import { destroyFleet } from "../destroy-fleet.ts";

const OWN = { stateDir: "/data/stowage", runDir: "/data/run" };

test("a host with directories of its own that leaves the fleet is locked and cleaned there", async () => {
  const fleet = openFleet();
  const both = fleet.manifest({ a: { web: podOf() }, b: { web: podOf() }, c: { web: podOf() } });
  const { b, ...others } = both.hosts;
  const declared = { ...both, hosts: { ...others, b: { ...b, ...OWN } } } as FleetManifest;
  await fleet.apply(declared);
  const without = { ...both, hosts: others };
  const { observation } = await fleet.plan(without);
  expect(observation.leaving.get("b")).toMatchObject(OWN);
  expect((await fleet.apply(without)).status).toBe("done");
  const left = fleet.machine("b").read(({ files }) => Object.keys(files));
  expect(left.filter((path) => !path.startsWith("/data/run/lock/"))).toEqual([
    "/data/stowage/audit.log",
  ]);
  expect((await fleet.apply(without)).status).toBe("converged");
});

test("a host that is given other directories is known by them to all", async () => {
  const fleet = openFleet();
  const both = fleet.manifest({ a: { web: podOf() }, b: {} });
  await fleet.apply(both);
  const { a, b } = both.hosts;
  const moved = { ...both, hosts: { a, b: { ...b, ...OWN } } } as FleetManifest;
  await expect(fleet.plan(moved)).rejects.toThrow("run stowage destroy --host b with that");
  await destroyFleet({ ...fleet.applyRequest(both), options: { hosts: ["b"] } });
  const { plan } = await fleet.plan(moved);
  expect(plan.hostChanges.map(({ id, text }) => [id, text])).toContainEqual([
    "a/roster",
    "its list of the fleet's hosts is updated: ~ b",
  ]);
  await fleet.apply(moved);
  expect((await fleet.plan(moved)).plan.hostChanges).toEqual([]);
});
