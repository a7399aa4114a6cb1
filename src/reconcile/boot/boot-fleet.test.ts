import { expect, test } from "vitest";
import { podOf, SimFleet } from "../../../test/support/sim-fleet.ts";
import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { bootFleet } from "./boot-fleet.ts";
import type { BootEvent, BootRequest } from "./boot-request.ts";

const ALWAYS = { restart: { policy: "always" } } as const;

/** Boots a host that has an engine which starts nothing by itself. */
async function boot(fleet: SimFleet, manifest: FleetManifest, more: Partial<BootRequest> = {}) {
  const events: BootEvent[] = [];
  const { pods: _, ...spec } = manifest.hosts["alpha"] as FleetManifest["hosts"][string];
  const isDone = await bootFleet({
    connector: fleet.connector,
    ...{ owner: "acme", fleet: "shop", host: "alpha", spec },
    appliedBy: "boot@alpha",
    patienceMs: 5000,
    pauseMs: 1,
    drain: new AbortController().signal,
    abort: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...more,
  });
  const started = events.flatMap((event) => (event.type === "started" ? [event.outcome.id] : []));
  return { isDone, events, started };
}

function declare(fleet: SimFleet, pods: Readonly<Record<string, unknown>>): FleetManifest {
  const made = fleet.manifest({ alpha: pods });
  const alpha = made.hosts["alpha"] as FleetManifest["hosts"][string];
  return { ...made, hosts: { alpha: { ...alpha, engine: { kind: "sim", runOnce: true } } } };
}

test("pods that are to run whatever happens run again after a boot, and the plan is empty", async () => {
  using fleet = new SimFleet();
  const manifest = declare(fleet, {
    web: podOf({}, { ...ALWAYS, dependsOn: ["store"] }),
    store: podOf({}, ALWAYS),
  });
  await fleet.apply(manifest);
  await fleet.machine().reboot();
  const { isDone, started } = await boot(fleet, manifest);
  expect(isDone).toBe(true);
  expect([...started].sort()).toEqual(["alpha/store", "alpha/web"]);
  expect((await fleet.apply(manifest)).status).toBe("converged");
});

test("nothing is done where all runs", async () => {
  using fleet = new SimFleet();
  const manifest = declare(fleet, { web: podOf({}, ALWAYS) });
  await fleet.apply(manifest);
  const before = fleet.machine().counters.writes;
  expect(await boot(fleet, manifest)).toMatchObject({ isDone: true, events: [] });
  // the lock alone
  expect(fleet.machine().counters.writes - before).toBeLessThan(8);
});

test("a pod whose secret files are gone waits, those that depend on it wait for it, and both say so", async () => {
  using fleet = new SimFleet();
  const files = { "/run/token": { secret: { fromEnv: "TOKEN" } } };
  const manifest = declare(fleet, {
    store: podOf({ files }, ALWAYS),
    web: podOf({}, { ...ALWAYS, dependsOn: ["store"] }),
    other: podOf({}, ALWAYS),
  });
  const environment = { TOKEN: "canary-token-value" };
  await fleet.apply(manifest, { environment });
  await fleet.machine().reboot();
  const { isDone, started, events } = await boot(fleet, manifest);
  expect(isDone).toBe(true);
  expect(started).toEqual(["alpha/other"]);
  const waits = events.flatMap((event) => (event.type === "waits" ? [event] : []));
  expect(waits.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([
    expect.stringMatching(/^alpha\/store: its secret files were lost from the host's memory/),
    "alpha/web: it comes after alpha/store",
  ]);
  expect((await fleet.apply(manifest, { environment })).status).toBe("done");
  expect((await fleet.apply(manifest, { environment })).status).toBe("converged");
});

test("an engine that does not answer yet is waited for, and not for ever", async () => {
  using fleet = new SimFleet();
  const manifest = declare(fleet, { web: podOf({}, ALWAYS) });
  await fleet.apply(manifest);
  await fleet.machine().reboot();
  fleet.down.set("alpha", new StowageError("Cannot reach it: too early", { code: "unavailable" }));
  const late = await boot(fleet, manifest, {
    onEvent: ({ type }) => {
      if (type === "not-yet") fleet.down.clear();
    },
  });
  expect(late.isDone).toBe(true);
  fleet.down.set("alpha", new StowageError("Cannot reach it: too early", { code: "unavailable" }));
  expect((await boot(fleet, manifest, { patienceMs: 20 })).isDone).toBe(false);
});

test("of pods that the policy no leaves, and of another host's, none is started", async () => {
  using fleet = new SimFleet();
  const manifest = declare(fleet, { once: podOf() });
  await fleet.apply(manifest);
  await fleet.machine().reboot();
  const { isDone, started, events } = await boot(fleet, manifest);
  expect([isDone, started, events.map(({ type }) => type)]).toEqual([true, [], ["left"]]);
  expect((await boot(fleet, manifest, { host: "beta" })).events).toEqual([]);
});
