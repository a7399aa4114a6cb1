import fc from "fast-check";
import { expect, test } from "vitest";
import type { SimFault } from "../../src/engines/sim/index.ts";
import { FleetManifest, MANIFEST_VERSION, type PodSpec } from "../../src/model/index.ts";
import { fleets } from "../support/arbitrary-fleet.ts";
import { endState, expectConverged, runKilled } from "../support/killed-apply.ts";
import { IMAGES, makeLayout, SimulatedHosts } from "../support/simulated-hosts.ts";

/** A daemon and, on the same machine, an engine whose pods run once. */
const ENGINES = {
  daemon: { kind: "sim" },
  once: { kind: "sim", store: "once", runOnce: true },
} as const;
type EngineName = keyof typeof ENGINES;

const DIRECTIONS: readonly (readonly [EngineName, EngineName])[] = [
  ["daemon", "once"],
  ["once", "daemon"],
];

const on = (name: EngineName, manifest: FleetManifest): FleetManifest => ({
  ...manifest,
  hosts: Object.fromEntries(
    Object.entries(manifest.hosts).map(([host, spec]) => [
      host,
      { ...spec, engine: ENGINES[name] },
    ]),
  ),
});

const one = (image: string, rest: Partial<PodSpec> = {}, more: object = {}) => ({
  containers: { main: { image, ...more } },
  ...rest,
});
const data: Partial<PodSpec> = { volumes: { data: { kind: "named", name: "data" } } };

const manifest = (pods: Readonly<Record<string, object>>): FleetManifest =>
  FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: "owner-1",
    images: Object.fromEntries(IMAGES.map((reference) => [reference, { layout: "layout" }])),
    hosts: { h1: { address: "local", engine: { kind: "sim" }, pods } },
  });

/** With a writable volume, with nothing to itself, and one whose declaration changes at the same time. */
const BEFORE = manifest({
  db: one("app:1", data, { mounts: [{ volume: "data", path: "/data" }] }),
  web: one("app:1"),
  other: one("app:1"),
});
const AFTER = manifest({
  db: one("app:1", data, { mounts: [{ volume: "data", path: "/data" }] }),
  web: one("app:1"),
  other: one("app:2"),
});

test.each(DIRECTIONS)(
  "a move from %s to %s that is killed before, inside or after any writing call ends where an undisturbed one does",
  async (from, to) => {
    await using layout = await makeLayout();
    const story = [on(from, BEFORE), on(to, AFTER)] as const;
    const clean = await runKilled(layout.path, story);
    await expectConverged(clean.hosts, story[1]);
    const expected = endState(clean.hosts.machine("h1"));
    const engine = ENGINES[to] === ENGINES.daemon ? "first" : "once";
    expect(expected.pods.map(({ pod }) => pod.split(" ")[0])).toEqual([engine, engine, engine]);
    expect(new Set(expected.images.map(([held]) => held))).toEqual(new Set([engine]));
    expect(clean.writes).toBeGreaterThan(25);
    for (const phase of ["before", "during", "after"] as const) {
      for (let nth = 1; nth <= clean.writes; nth += 1) {
        const fault: SimFault = { access: "write", nth, phase, effect: "kill" };
        const { hosts } = await runKilled(layout.path, story, fault);
        expect(endState(hosts.machine("h1")), `killed ${phase} write ${nth}`).toEqual(expected);
        await expectConverged(hosts, story[1]);
      }
    }
  },
);

test("a move with --keep-old that is killed at any writing call ends where an undisturbed one does", async () => {
  await using layout = await makeLayout();
  const story = [on("daemon", BEFORE), on("once", AFTER)] as const;
  const keepOld = { keepOld: true };
  const clean = await runKilled(layout.path, story, undefined, keepOld);
  await expectConverged(clean.hosts, story[1], keepOld);
  const expected = endState(clean.hosts.machine("h1"));
  for (let nth = 1; nth <= clean.writes; nth += 1) {
    const fault: SimFault = { access: "write", nth, phase: "after", effect: "kill" };
    const { hosts } = await runKilled(layout.path, story, fault, keepOld);
    expect(endState(hosts.machine("h1")), `killed after write ${nth}`).toEqual(expected);
    await expectConverged(hosts, story[1], keepOld);
  }
});

test("a move that is killed and then not wanted any more ends on the old engine, with nothing on the new one", async () => {
  await using layout = await makeLayout();
  const [before, after] = [on("daemon", BEFORE), on("once", BEFORE)];
  const clean = await runKilled(layout.path, [before, after]);
  for (let nth = 1; nth <= clean.writes; nth += 1) {
    const hosts = new SimulatedHosts(layout.path);
    await hosts.apply(before);
    const expected = endState(hosts.machine("h1"));
    const faults: readonly SimFault[] = [{ access: "write", nth, phase: "after", effect: "kill" }];
    await hosts.apply(after, { faults }).catch(() => undefined);
    await hosts.machine("h1").advance(60_000);
    const report = await hosts.apply(before);
    expect(report.outcomes.filter(({ status }) => status !== "done")).toEqual([]);
    expect(endState(hosts.machine("h1")), `killed after write ${nth}`).toEqual(expected);
    await expectConverged(hosts, before);
  }
});

test("any change of any fleet that moves as well survives a kill, and never runs two on one volume", async () => {
  await using layout = await makeLayout();
  const moment = fc.record({
    phase: fc.constantFrom("before", "during", "after" as const),
    nth: fc.integer({ min: 1, max: 60 }),
    direction: fc.constantFrom(...DIRECTIONS),
  });
  await fc.assert(
    fc.asyncProperty(fleets, fleets, moment, async (before, after, { phase, nth, direction }) => {
      const fault = { access: "write", nth, phase, effect: "kill" } as SimFault;
      const story = [on(direction[0], before), on(direction[1], after)] as const;
      try {
        const { hosts } = await runKilled(layout.path, story, fault);
        await expectConverged(hosts, story[1]);
      } catch (error) {
        fc.pre(!(error instanceof Error && error.message.includes("wait for each other")));
        throw error;
      }
    }),
    { numRuns: 40, endOnFailure: true },
  );
});
