import { expect, test } from "vitest";
import { podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import { type CallPhase, SimKilled } from "../engines/sim/index.ts";
import { FleetManifest, type HostSpec } from "../model/index.ts";
import { servicePods } from "../plan/index.ts";
import { readPodRecords } from "./history/pod-records.ts";
import { rollbackTarget, rolledBack } from "./history/rollback.ts";

function declared(fleet: SimFleet, name: string, formerly?: string): FleetManifest {
  const manifest = fleet.manifest({
    a: { db: podOf({}, { network: { mode: "host" }, ports: [{ host: 5432 }] }) },
  });
  return FleetManifest.parse({
    ...manifest,
    name,
    ...(formerly === undefined ? {} : { formerly }),
  });
}

async function begun(): Promise<SimFleet> {
  const fleet = new SimFleet("virtual");
  await fleet.apply(declared(fleet, "shop"));
  return fleet;
}

/** The pods of the host, as `fleet/pod/state`. */
function podsOn(fleet: SimFleet): readonly string[] {
  return fleet
    .machine("a")
    .read(({ pods }) =>
      Object.values(pods).map(
        ({ identity, containers }) =>
          `${identity.fleet}/${identity.pod}/${containers["main"]?.state ?? "none"}`,
      ),
    )
    .sort();
}

/** Applies, killed at a call. @returns whether it was */
async function killed(
  fleet: SimFleet,
  manifest: FleetManifest,
  nth: number,
  phase: CallPhase,
): Promise<boolean> {
  fleet.faults = [{ nth, access: "write", phase, effect: "kill" }];
  const end = await fleet.apply(manifest).catch((error: unknown) => error);
  fleet.faults = [];
  await fleet.machine("a").advance(60_000);
  return end instanceof SimKilled;
}

test("a renaming that is killed at any call is brought to its end by the next apply: nothing is doubled, and the plan is empty", async () => {
  let nth = 0;
  for (let isKilled = true; isKilled; ) {
    nth += 1;
    for (const phase of ["during", "after"] as const) {
      using fleet = await begun();
      const renamed = declared(fleet, "store", "shop");
      isKilled = await killed(fleet, renamed, nth, phase);
      await fleet.apply(renamed);
      const { plan } = await fleet.plan(renamed);
      const changes = [...plan.pods, ...plan.hostChanges].map(
        ({ id, action }) => `${action} ${id}`,
      );
      expect({ nth, phase, pods: podsOn(fleet), changes }).toEqual({
        nth,
        phase,
        pods: ["store/db/running"],
        changes: [],
      });
    }
  }
  expect(nth).toBeGreaterThan(10);
});

test("the pods of a service whose fleet is renamed are old until that was applied", async () => {
  using fleet = new SimFleet("virtual");
  const service = { service: "web", rollout: { maxUnavailable: 1 } };
  const { hosts, ...rest } = fleet.manifest({ a: { web: podOf({}, service) } });
  await fleet.apply({ ...rest, hosts });
  const renamed = { ...rest, hosts, name: "store", formerly: "shop" };
  const states = async () => {
    const { plan, observation } = await fleet.plan(renamed);
    return servicePods(renamed, plan, observation.hosts).map(({ state, applied }) => ({
      state,
      generation: applied?.generation,
    }));
  };
  expect(await states()).toEqual([{ state: "old", generation: 1 }]);
  await fleet.apply(renamed);
  expect(await states()).toEqual([{ state: "declared", generation: 2 }]);
});

test("a renaming that was cut short can be taken back", async () => {
  for (const nth of [4, 8]) {
    using fleet = await begun();
    expect(await killed(fleet, declared(fleet, "store", "shop"), nth, "after")).toBe(true);
    const back = declared(fleet, "shop", "store");
    await fleet.apply(back);
    const { plan } = await fleet.plan(back);
    expect([nth, podsOn(fleet), plan.pods, plan.hostChanges]).toEqual([
      nth,
      ["shop/db/running"],
      [],
      [],
    ]);
  }
});

test("records of a fleet that is to be renamed are found under its former name, and its pods go back from there", async () => {
  using fleet = new SimFleet("virtual");
  const of = (log: string, name: string, formerly?: string) => ({
    ...fleet.manifest({ a: { web: podOf({ env: { LOG: log } }) } }),
    name,
    ...(formerly === undefined ? {} : { formerly }),
  });
  await fleet.apply(of("1", "shop"));
  await fleet.apply(of("2", "shop"));
  const renamed = of("3", "store", "shop");
  const spec = renamed.hosts["a"] as HostSpec;
  const { host } = await fleet.connector.open("a", spec);
  const read = async () =>
    (await readPodRecords(host, renamed, spec, new AbortController().signal)).get("web") ?? [];
  const numbers = (records: Awaited<ReturnType<typeof read>>) =>
    records.map((each) => [each.number, each.spec.containers["main"]?.env?.["LOG"]]);
  expect(numbers(await read())).toEqual([
    [2, "2"],
    [1, "1"],
  ]);
  const { manifest, pins } = rolledBack(renamed, [rollbackTarget("a", "web", await read())]);
  expect((await fleet.apply(manifest, { pins })).status).toBe("done");
  expect(podsOn(fleet)).toEqual(["store/web/running"]);
  expect(numbers(await read())[0]).toEqual([3, "1"]);
});
