import fc from "fast-check";
import { expect, test } from "vitest";
import type { SimFault } from "../../src/engines/sim/index.ts";
import { FleetManifest, MANIFEST_VERSION, type PodSpec } from "../../src/model/index.ts";
import { fleets } from "../support/arbitrary-fleet.ts";
import { endState, expectConverged, runKilled } from "../support/killed-apply.ts";
import { IMAGES, makeLayout, type SimulatedHosts } from "../support/simulated-hosts.ts";

const manifest = (pods: Readonly<Record<string, object>>, rest: object = {}): FleetManifest =>
  FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: "owner-1",
    images: Object.fromEntries(IMAGES.map((reference) => [reference, { layout: "layout" }])),
    hosts: { h1: { address: "local", engine: { kind: "sim" }, pods } },
    ...rest,
  });

const one = (image: string, rest: Partial<PodSpec> = {}, more: object = {}) => ({
  containers: { main: { image, ...more } },
  ...rest,
});

const files = {
  files: {
    "/etc/app.conf": { content: "a=1" },
    "/run/secrets/token": { secret: { fromEnv: "TOKEN" } },
  },
};
const data: Partial<PodSpec> = { volumes: { data: { kind: "named", name: "data" } } };
const mounts = [{ volume: "data", path: "/data" }];
const port: Partial<PodSpec> = { network: { mode: "host" }, ports: [{ host: 8080 }] };

const ordered = (image: string) => ({
  containers: {
    first: { image, init: true, command: ["/bin/sh", "-c", "echo first"] },
    main: { image, dependsOn: { side: "started" } },
    side: { image },
  },
});

/** Every kind of change at once: replace in both orders, live, restart, remove, create, image released. */
const STORY: readonly [FleetManifest, FleetManifest] = [
  manifest({
    db: one("app:1", data, { mounts }),
    web: one("app:1"),
    door: one("app:1", port),
    live: one("app:2", {}, { resources: { pidsMax: 10 } }),
    again: one("app:2", {}, { oomScoreAdj: 1 }),
    gone: one("app:1", {}, files),
    conf: one("app:1", {}, files),
    order: ordered("app:1"),
  }),
  manifest({
    db: one("app:2", data, { mounts }),
    web: one("app:2"),
    door: one("app:2", port),
    live: one("app:2", {}, { resources: { pidsMax: 20 } }),
    again: one("app:2", {}, { oomScoreAdj: 2 }),
    fresh: one("app:2", { dependsOn: ["db"] }, files),
    order: ordered("app:2"),
    conf: one("app:1", {}, { files: { "/etc/app.conf": { content: "a=2" } } }),
  }),
];

test("apply killed before, inside and after every writing call ends where an undisturbed one does", async () => {
  await using layout = await makeLayout();
  const clean = await runKilled(layout.path, STORY);
  await expectConverged(clean.hosts, STORY[1]);
  const expected = endState(clean.hosts.machine("h1"));
  expect(clean.writes).toBeGreaterThan(25);
  for (const phase of ["before", "during", "after"] as const) {
    for (let nth = 1; nth <= clean.writes; nth += 1) {
      const fault: SimFault = { access: "write", nth, phase, effect: "kill" };
      const { hosts } = await runKilled(layout.path, STORY, fault);
      expect(endState(hosts.machine("h1")), `killed ${phase} write ${nth}`).toEqual(expected);
      await expectConverged(hosts, STORY[1]);
    }
  }
});

test("a first apply that is killed at any writing call ends where an undisturbed one does", async () => {
  await using layout = await makeLayout();
  const empty = manifest({});
  const first: readonly [FleetManifest, FleetManifest] = [empty, STORY[0]];
  const clean = await runKilled(layout.path, first);
  const expected = endState(clean.hosts.machine("h1"));
  for (let nth = 1; nth <= clean.writes; nth += 1) {
    const fault: SimFault = { access: "write", nth, phase: "after", effect: "kill" };
    const { hosts } = await runKilled(layout.path, first, fault);
    expect(endState(hosts.machine("h1")), `killed after write ${nth}`).toEqual(expected);
  }
});

test("files that somebody changed, and a reboot, are mended by an apply that is killed at any writing call", async () => {
  await using layout = await makeLayout();
  const same = manifest({ conf: one("app:1", {}, files), more: one("app:2", {}, files) });
  const disturb = async (hosts: SimulatedHosts): Promise<void> => {
    const machine = hosts.machine("h1");
    await machine.reboot();
    const plain = machine.read((state) =>
      Object.keys(state.files).find((path) => path.includes("/.files/")),
    );
    await machine.setFile(plain ?? "", { text: "0ther" });
  };
  const run = (fault?: SimFault) => runKilled(layout.path, [same, same], fault, {}, disturb);
  const clean = await run();
  const expected = endState(clean.hosts.machine("h1"));
  for (const phase of ["before", "during", "after"] as const) {
    for (let nth = 1; nth <= clean.writes; nth += 1) {
      const { hosts } = await run({ access: "write", nth, phase, effect: "kill" });
      expect(endState(hosts.machine("h1")), `killed ${phase} write ${nth}`).toEqual(expected);
      await expectConverged(hosts, same);
    }
  }
});

test("any change of any fleet survives a kill at any moment, and never runs two on one volume", async () => {
  await using layout = await makeLayout();
  const moment = fc.record({
    phase: fc.constantFrom("before", "during", "after" as const),
    nth: fc.integer({ min: 1, max: 60 }),
  });
  await fc.assert(
    fc.asyncProperty(fleets, fleets, moment, async (before, after, { phase, nth }) => {
      const fault = { access: "write", nth, phase, effect: "kill" } as SimFault;
      try {
        const { hosts } = await runKilled(layout.path, [before, after], fault);
        await expectConverged(hosts, after);
      } catch (error) {
        fc.pre(!(error instanceof Error && error.message.includes("wait for each other")));
        throw error;
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
});
