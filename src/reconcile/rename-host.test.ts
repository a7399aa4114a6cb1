import { join } from "node:path";
import { expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf, SimFleet } from "../../test/support/sim-fleet.ts";
import { SimKilled, SimMachine } from "../engines/sim/index.ts";
import type { FleetManifest } from "../model/index.ts";
import { parseRecord } from "../model/index.ts";

const RECORD = "/var/lib/stowage/acme/shop/web.json";
const FILES = { "/etc/one.conf": { content: "one" } };

/** A fleet with a host that has this name, and another one that has another. */
function declared(fleet: SimFleet, name: string, image = IMAGE): FleetManifest {
  const engine = { kind: "sim" as const, file: join(fleet.dir, "machine.json") };
  const web = podOf({ image, files: FILES });
  const { a, z } = fleet.manifest({ a: { web: podOf() }, z: { web } }).hosts;
  return { ...fleet.manifest({}), hosts: { a, [name]: { ...z, engine } } } as FleetManifest;
}

function onMachine(fleet: SimFleet) {
  return new SimMachine({ file: join(fleet.dir, "machine.json") }).read(({ pods, files }) => ({
    pods: Object.values(pods).map(
      ({ identity, containers }) =>
        `${identity.host}/${identity.generation}/${containers["main"]?.state} ${containers["main"]?.image.reference}`,
    ),
    files: Object.keys(files).filter((path) => path.includes("/.files/")).length,
    record: parseRecord(files[RECORD]?.text ?? ""),
  }));
}

async function changesOf(fleet: SimFleet, manifest: FleetManifest) {
  const { plan } = await fleet.plan(manifest);
  return [...plan.pods, ...plan.hostChanges].map(({ id, action }) => `${action} ${id}`);
}

test("a host that is given another name keeps its pods, which run on", async () => {
  using fleet = new SimFleet();
  await fleet.apply(declared(fleet, "old"));
  const renamed = declared(fleet, "new");
  const { plan } = await fleet.plan(renamed);
  expect(plan.pods.map(({ id, action, reasons }) => [id, action, reasons[0]?.text])).toEqual([
    ["new/web", "adopt", "the host was named old; its record is rewritten"],
  ]);
  expect((await fleet.apply(renamed)).status).toBe("done");
  expect(onMachine(fleet)).toMatchObject({
    pods: [`old/1/running ${IMAGE}`],
    files: 1,
    record: { record: { host: "new", current: 1 } },
  });
  expect(await changesOf(fleet, renamed)).toEqual([]);
  const later = declared(fleet, "new", OTHER_IMAGE);
  await fleet.apply(later);
  expect(onMachine(fleet)).toMatchObject({ pods: [`new/2/running ${OTHER_IMAGE}`], files: 1 });
  expect(await changesOf(fleet, later)).toEqual([]);
});

test("a host whose renaming is killed at any call, with a new version of its pod, ends with one of it", async () => {
  for (let nth = 1, isKilled = true; isKilled; nth += 2) {
    using fleet = new SimFleet();
    await fleet.apply(declared(fleet, "old"));
    const renamed = declared(fleet, "new", OTHER_IMAGE);
    fleet.faults = [{ nth, access: "write", phase: "after", effect: "kill" }];
    const end = await fleet.apply(renamed).catch((error: unknown) => error);
    isKilled = end instanceof SimKilled;
    fleet.faults = [];
    for (const machine of [
      fleet.machine("a"),
      new SimMachine({ file: join(fleet.dir, "machine.json") }),
    ])
      await machine.advance(60_000);
    await fleet.apply(renamed);
    const { pods, files } = onMachine(fleet);
    expect({ nth, pods, files, changes: await changesOf(fleet, renamed) }).toEqual({
      nth,
      pods: [expect.stringMatching(/^new\/\d\/running example.test\/app:2$/)],
      files: 1,
      changes: [],
    });
  }
});

test("a host that is given another name and another address at once is not cleaned: the plan is refused", async () => {
  using fleet = new SimFleet();
  const both = fleet.manifest({ a: { web: podOf() }, old: { web: podOf() } });
  await fleet.apply(both);
  const { a, old } = both.hosts;
  const moved = { ...old, address: "ssh://10.0.0.5" };
  const renamed = { ...both, hosts: { a, new: moved } } as FleetManifest;
  const { connector } = fleet;
  const open: typeof connector.open = (name, ...rest) =>
    connector.open(name === "new" ? "old" : name, ...rest);
  const again = { connector: { open, read: open } };
  await expect(fleet.apply(renamed, again)).rejects.toMatchObject({
    diagnostics: [
      {
        path: "hosts.new",
        summary:
          "it is the machine of host old, which leaves the fleet: both have the same record of acme/shop/web",
        detail: expect.stringContaining("address that it had, ssh://old.test, until that is"),
      },
    ],
  });
  // another machine of that name is another matter
  const other = { ...both, hosts: { a, new: moved } } as FleetManifest;
  expect((await fleet.apply(other)).status).toBe("done");
  expect(fleet.machine("old").read(({ pods }) => Object.keys(pods))).toEqual([]);
});
