import { expect, test } from "vitest";
import { podOf, type SimFleet } from "../../test/support/sim-fleet.ts";
import { openFleet } from "../../test/support/web-service.ts";
import type { FleetManifest } from "../model/index.ts";

const POD = podOf(
  { mounts: [{ volume: "data", path: "/data" }] },
  { volumes: { data: { kind: "named", name: "data" } } },
);

function declared(fleet: SimFleet, more: object = {}): FleetManifest {
  const manifest = fleet.manifest({ a: { web: POD } });
  const a = { ...manifest.hosts["a"], ...more } as FleetManifest["hosts"][string];
  return { ...manifest, hosts: { ...manifest.hosts, a } };
}

const DIRECTORIES = [
  ["/var/lib/stowage", "hosts.a.stateDir"],
  ["/var/lib/stowage/acme", "hosts.a.stateDir"],
  ["/var/lib/stowage/acme/shop", "hosts.a.stateDir"],
  ["/var/lib/stowage/acme/shop/.volumes", "hosts.a.stateDir"],
  ["/var/lib/stowage/acme/shop/.files", "hosts.a.stateDir"],
  ["/var/lib/stowage/acme/shop/.history", "hosts.a.stateDir"],
  ["/var/lib/stowage/logs", "hosts.a.stateDir"],
  ["/var/lib/stowage/.sim", "hosts.a.stateDir"],
  ["/run/stowage", "hosts.a.runDir"],
  ["/run/stowage/lock", "hosts.a.runDir"],
  ["/run/stowage/stw-secrets", "hosts.a.runDir"],
  ["/var/lib/stowage/acme/shop/.volumes/data", "hosts.a.pods.web.volumes.data"],
] as const;

test.each(DIRECTORIES)(
  "a plan refuses a file at %s, where a directory has to be",
  async (path, place) => {
    const fleet = openFleet();
    await fleet.machine("a").setFile(path, { text: "not ours" });
    const failed = fleet.plan(declared(fleet));
    await expect(failed).rejects.toThrow(`${path} is not a directory`);
    await expect(failed).rejects.toThrow(place);
    expect(fleet.machine("a").counters.writes).toBe(0);
  },
);

test.each([
  "/var/lib/stowage/audit.log",
  "/var/lib/stowage/acme/shop/.roster.json",
  "/var/lib/stowage/acme/shop/web.json",
])("a plan refuses a directory at %s, where a file has to be", async (path) => {
  const fleet = openFleet();
  await fleet.apply(declared(fleet));
  await fleet.machine("a").setFile(path, undefined);
  await fleet.machine("a").setFile(`${path}/not-ours`, { text: "" });
  await expect(fleet.plan(declared(fleet))).rejects.toThrow(`${path} is a directory`);
});

test.each([
  ["/srv/disk", "hosts.a.stateDir"],
  ["/srv/disk/stowage", "hosts.a.stateDir"],
  ["/srv/disk/stowage/acme/shop/.volumes/data", "hosts.a.pods.web.volumes.data"],
  ["/run/other", "hosts.a.runDir"],
])(
  "a plan refuses a link to nothing at %s, where no directory can be made",
  async (path, place) => {
    const fleet = openFleet();
    await fleet.machine("a").setFile(path, { link: "/nowhere" });
    const failed = fleet.plan(
      declared(fleet, { stateDir: "/srv/disk/stowage", runDir: "/run/other" }),
    );
    await expect(failed).rejects.toThrow(`${path} is a broken symbolic link`);
    await expect(failed).rejects.toThrow(place);
  },
);

test("a plan takes a link that leads to a directory", async () => {
  const fleet = openFleet();
  await fleet.machine("a").setFile("/mnt/big/stowage/there", { text: "" });
  await fleet.machine("a").setFile("/srv/disk", { link: "/mnt/big" });
  expect(
    (await fleet.plan(declared(fleet, { stateDir: "/srv/disk/stowage" }))).plan.pods,
  ).toHaveLength(1);
});

test("a plan refuses a file on the way to the stateDir, and takes the fleet's own directories", async () => {
  const fleet = openFleet();
  await fleet.machine("a").setFile("/srv/disk", { text: "not ours" });
  await expect(fleet.plan(declared(fleet, { stateDir: "/srv/disk/stowage" }))).rejects.toThrow(
    "/srv/disk is not a directory",
  );
  expect((await fleet.apply(declared(fleet))).status).toBe("done");
  expect((await fleet.plan(declared(fleet))).plan.pods).toEqual([]);
});
