import { expect, test } from "vitest";
import { podOf, type SimFleet } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import { type FleetManifest, objectName } from "../model/index.ts";
import type { Connector } from "./connector.ts";
import { destroyFleet } from "./destroy-fleet.ts";

const POD = podOf({ mounts: [{ volume: "data", path: "/data" }] } as object, {
  volumes: { data: { kind: "named", name: "data" } },
});

function declared(fleet: SimFleet, more: object, hosts: readonly string[] = ["a"]): FleetManifest {
  const manifest = fleet.manifest(Object.fromEntries(hosts.map((name) => [name, { web: POD }])));
  const a = { ...manifest.hosts["a"], ...more } as FleetManifest["hosts"][string];
  return { ...manifest, hosts: { ...manifest.hosts, a } };
}

test.each([
  [
    "what is not said",
    {},
    { stateDir: "/data/stowage" },
    ["a"],
    "/var/lib/stowage, not in /data/stowage",
  ],
  [
    "what another host knows",
    { stateDir: "/old" },
    { stateDir: "/new" },
    ["a", "b"],
    "/old, not in /new",
  ],
  ["what is said no more", { stateDir: "/old" }, {}, ["a", "b"], "/old, not in /var/lib/stowage"],
] as const)(
  "another stateDir than %s is refused while the fleet's files are in the old one, and taken after it was destroyed there",
  async (_, before, after, hosts, said) => {
    const fleet = openFleet();
    await fleet.apply(declared(fleet, before, hosts));
    const changed = declared(fleet, after, hosts);
    await expect(fleet.plan(changed)).rejects.toThrow(
      `records and volumes on this host are in ${said}`,
    );
    await expect(fleet.plan(changed)).rejects.toThrow("run stowage destroy --host a with that");
    const destroyed = await destroyFleet({
      ...fleet.applyRequest(declared(fleet, before, hosts)),
      options: { hosts: ["a"] },
    });
    expect(destroyed.status).toBe("done");
    expect((await fleet.apply(changed)).status).toBe("done");
    expect((await fleet.plan(changed)).plan.hostChanges).toEqual([]);
  },
);

test("another runDir is refused while pods run with what is in the old one", async () => {
  const fleet = openFleet();
  await fleet.apply(declared(fleet, {}));
  await expect(fleet.plan(declared(fleet, { runDir: "/run/other" }))).rejects.toThrow(
    "pods of the fleet use what is in /run/stowage",
  );
});

test("two hosts of one machine with directories of their own are not taken for one that changed them", async () => {
  const fleet = openFleet();
  await fleet.apply(declared(fleet, { stateDir: "/data/stowage" }, ["a", "b"]));
  expect(
    (await fleet.plan(declared(fleet, { stateDir: "/data/stowage" }, ["a", "b"]))).plan.pods,
  ).toEqual([]);
});

test("another stateDir on a fleet of one host, of which no directory is known, is told: its records and volumes stay in the old one", async () => {
  const fleet = openFleet();
  await fleet.apply(declared(fleet, { stateDir: "/old" }));
  const { plan } = await fleet.plan(declared(fleet, { stateDir: "/new" }));
  expect(plan.warnings).toEqual([
    expect.stringContaining("pods of the fleet are there, but /new holds no records"),
  ]);
  expect((await fleet.plan(declared(fleet, { stateDir: "/old" }))).plan.warnings).toEqual([]);
});

test("pods that the engine knows by another stateDir alone are not made a second time", async () => {
  const fleet = openFleet();
  const manifest = declared(fleet, {});
  const seen = (elsewhere: readonly string[]): Pick<Connector, "read"> => ({
    read: async (...asked) => {
      const reading = await fleet.connector.read(...asked);
      const { engine } = reading;
      const observe: typeof engine.observe = async (options) => ({
        ...(await engine.observe(options)),
        elsewhere,
      });
      const info: typeof engine.info = async (options) => await engine.info(options);
      const capabilities: typeof engine.capabilities = async (options) =>
        await engine.capabilities(options);
      return { ...reading, engine: { ...engine, info, capabilities, observe } };
    },
  });
  const identity = { owner: "acme", fleet: "shop", host: "a", pod: "web" };
  const name = objectName({ ...identity, generation: 3 }, "main");
  await expect(fleet.plan(manifest, { connector: seen([name]) })).rejects.toThrow(
    "pods of the fleet were applied with another stateDir than /var/lib/stowage: web",
  );
  const other = objectName({ ...identity, owner: "other", generation: 3 }, "main");
  const { plan } = await fleet.plan(manifest, { connector: seen([other]) });
  expect(plan.pods.map(({ action }) => action)).toEqual(["create"]);
});
