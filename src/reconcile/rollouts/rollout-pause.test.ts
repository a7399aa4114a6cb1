import { expect, test } from "vitest";
import { IMAGE, OTHER_IMAGE, podOf, type SimFleet } from "../../../test/support/sim-fleet.ts";
import {
  openFleet,
  runningWeb,
  WEB_HOSTS,
  webService,
  webStatuses,
} from "../../../test/support/web-service.ts";
import { SimKilled } from "../../engines/sim/index.ts";
import { StowageError } from "../../errors/index.ts";
import type { FleetManifest, Rollout } from "../../model/index.ts";
import { planFleet } from "../plan-fleet.ts";
import { type MarkedRollout, markRollout } from "./mark-rollout.ts";

/** Waves: a | b c | d e. */
const WAVES: Rollout = { canary: 1, maxUnavailable: 2 };
const PATH = "/var/lib/stowage/acme/shop/.rollouts/web.json";

async function mark(
  fleet: SimFleet,
  manifest: FleetManifest,
  paused: boolean,
): Promise<MarkedRollout> {
  return await markRollout({ ...markRequest(fleet, manifest), service: "web", paused });
}

function markRequest(fleet: SimFleet, manifest: FleetManifest) {
  const now = () => new Date("2026-01-02T03:04:05Z");
  return { manifest, connector: fleet.connector, by: "ann@desk", now };
}

const pause = (fleet: SimFleet, manifest: FleetManifest) => mark(fleet, manifest, true);
const resume = (fleet: SimFleet, manifest: FleetManifest) => mark(fleet, manifest, false);

async function begun(rollout: Rollout = WAVES) {
  const fleet = openFleet();
  await fleet.apply(webService(fleet, rollout, IMAGE));
  fleet.events.length = 0;
  return { fleet, manifest: webService(fleet, rollout) };
}

/** Revisions of the marks on the hosts, with `p` where they pause. */
function marks(fleet: SimFleet): string {
  return WEB_HOSTS.map((name) => {
    const text = fleet.machine(name).read(({ files }) => files[PATH]?.text);
    if (text === undefined) return "-";
    const { revision, paused } = JSON.parse(text);
    return `${revision}${paused ? "p" : ""}`;
  }).join(" ");
}

/** Does something once, in the middle of the first call of that name of whatever is opened next. */
function inTheMiddle(fleet: SimFleet, call: string, work: () => Promise<unknown>): void {
  let isDone = false;
  fleet.onCall = async ({ name }, phase) => {
    if (isDone || name !== call || phase !== "before") return;
    isDone = true;
    fleet.onCall = undefined;
    await work();
  };
}

test("what is newly declared waits while its rollout is paused, is planned so, and goes on after it is resumed", async () => {
  const { fleet, manifest } = await begun();
  expect(await pause(fleet, manifest)).toMatchObject({ mark: { revision: 1, paused: true } });
  const { plan } = await fleet.plan(manifest);
  expect(plan.rollouts).toMatchObject([
    {
      paused: {
        by: "ann@desk",
        at: "2026-01-02T03:04:05.000Z",
        waits: WEB_HOSTS.map((name) => `${name}/web`),
      },
    },
  ]);
  let asked = 0;
  const report = await fleet.apply(manifest, {
    confirm: async () => {
      asked += 1;
      return true;
    },
  });
  expect({ status: report.status, asked, steps: fleet.steps("step-started") }).toEqual({
    status: "paused",
    asked: 0,
    steps: [],
  });
  expect(runningWeb(fleet)).toBe("1 1 1 1 1");

  expect(await resume(fleet, manifest)).toMatchObject({ before: { by: "ann@desk" } });
  expect((await fleet.apply(manifest)).status).toBe("done");
  expect(runningWeb(fleet)).toBe("2 2 2 2 2");
  expect((await fleet.plan(manifest)).plan.pods).toEqual([]);
});

test("a pause while an apply holds the locks lets the wave end and no other begin, and the next apply goes on from there", async () => {
  const { fleet, manifest } = await begun();
  inTheMiddle(fleet, "engine.stop", () => pause(fleet, manifest));
  const report = await fleet.apply(manifest);
  expect([webStatuses(report), report.status]).toEqual([
    "done not-run not-run not-run not-run",
    "paused",
  ]);
  expect(report.outcomes.find(({ id }) => id === "d/web")).toMatchObject({
    waits: true,
    reason: "the rollout of web is paused since 2026-01-02T03:04:05Z by ann@desk",
    remedy: "stowage rollout resume web, then apply again",
  });
  expect(runningWeb(fleet)).toBe("2 1 1 1 1");

  await resume(fleet, manifest);
  const next = await fleet.apply(manifest);
  expect(next.status).toBe("done");
  expect(next.plan.rollouts).toMatchObject([{ done: 1, waves: [{ kind: "wave" }, {}] }]);
  expect(runningWeb(fleet)).toBe("2 2 2 2 2");
});

test("a pause that comes before the first wave is seen by it, also by an apply of a saved plan", async () => {
  const { fleet, manifest } = await begun();
  const { plan: savedPlan } = await fleet.plan(manifest, { options: { fingerprints: true } });
  const report = await fleet.apply(manifest, {
    savedPlan,
    confirm: async () => {
      await pause(fleet, manifest);
      return true;
    },
  });
  expect([webStatuses(report), report.status]).toEqual([
    "not-run not-run not-run not-run not-run",
    "paused",
  ]);
  // one that was made before the pause tells of it when it is applied after
  const later = await fleet.plan(manifest, { options: { fingerprints: true } });
  const { paused: _, ...rollout } = later.plan.rollouts?.[0] ?? { paused: undefined };
  const before = { ...later.plan, rollouts: [rollout] } as typeof later.plan;
  const asked = await fleet.apply(manifest, { savedPlan: before, confirm: async () => false });
  expect(asked.plan.rollouts).toMatchObject([{ paused: { by: "ann@desk", waits: { length: 5 } } }]);
  // and one that says it waits is of no use when it does not
  await resume(fleet, manifest);
  await expect(fleet.apply(manifest, { savedPlan: later.plan })).rejects.toThrow("make a new plan");
  expect(runningWeb(fleet)).toBe("1 1 1 1 1");
});

test("what crashed or was removed is mended while its rollout is paused, and no other pod of the fleet waits", async () => {
  const { fleet } = await begun();
  const declared = (image: string, env: Readonly<Record<string, string>> = {}) => {
    const made = webService(fleet, WAVES, image);
    const [a, b] = [made.hosts["a"], made.hosts["b"]];
    const db = podOf({ env });
    const api = podOf({ env }, { dependsOn: ["web"] });
    const hosts = {
      ...made.hosts,
      a: { ...a, pods: { ...a?.pods, db } },
      b: { ...b, pods: { ...b?.pods, api } },
    };
    return { ...made, hosts } as FleetManifest;
  };
  await fleet.apply(declared(IMAGE));
  await pause(fleet, declared(IMAGE));
  const identity = { owner: "acme", fleet: "shop", pod: "web", generation: 1 };
  await fleet.machine("e").kill({ ...identity, host: "e" }, "main");
  expect(runningWeb(fleet)).toBe("1+1 1+1 1 1 down");
  expect((await fleet.apply(declared(IMAGE))).status).toBe("done");
  expect(runningWeb(fleet)).toBe("1+1 1+1 1 1 1");

  // what comes after a pod that waits, waits as well; what does not, is done
  const report = await fleet.apply(declared(OTHER_IMAGE, { A: "1" }));
  const pods = report.outcomes.filter(({ pod }) => pod === "db" || pod === "api");
  expect(pods.map(({ id, status, waits }) => [id, status, waits])).toEqual([
    ["a/db", "done", undefined],
    ["b/api", "not-run", true],
  ]);
  // the new image is for later as well
  const images = (name: string) =>
    fleet.machine(name).read((state) => Object.keys(state.images).join(" "));
  expect(images("a")).not.toContain("app:2");
  expect(report.status).toBe("paused");
  await resume(fleet, declared(OTHER_IMAGE, { A: "1" }));
  expect((await fleet.apply(declared(OTHER_IMAGE, { A: "1" }))).status).toBe("done");
});

test("a pod that is gone from its engine is not brought back as something newer", async () => {
  const { fleet, manifest } = await begun();
  await pause(fleet, manifest);
  await fleet
    .machine("c")
    .deletePod({ owner: "acme", fleet: "shop", pod: "web", generation: 1, host: "c" });
  expect((await fleet.apply(manifest)).status).toBe("paused");
  expect(runningWeb(fleet)).toBe("1 1 down 1 1");
  expect((await fleet.apply(webService(fleet, WAVES, IMAGE))).status).toBe("done");
  expect(runningWeb(fleet)).toBe("1 1 1 1 1");
});

test("a host that was away while its rollout was resumed pauses nothing when it is back", async () => {
  const { fleet, manifest } = await begun();
  await pause(fleet, manifest);
  fleet.down.set("c", new StowageError("Cannot reach c", { code: "unavailable" }));
  const made = await resume(fleet, manifest);
  expect(made.hosts.filter(({ problem }) => problem !== undefined)).toMatchObject([{ host: "c" }]);
  expect(made.after).toBeUndefined();
  fleet.down.clear();
  expect(marks(fleet)).toBe("2 2 1p 2 2");
  expect((await fleet.apply(manifest)).status).toBe("done");
  expect(runningWeb(fleet)).toBe("2 2 2 2 2");
  // and it does not keep the marks apart for ever
  expect(await resume(fleet, manifest)).toMatchObject({ mark: { revision: 3, paused: false } });
  expect(marks(fleet)).toBe("3 3 3 3 3");
  expect((await resume(fleet, manifest)).mark).toBeUndefined();
});

test("a pause is said once, and said again to hosts that were away", async () => {
  const { fleet, manifest } = await begun();
  fleet.down.set("a", new StowageError("Cannot reach a", { code: "unavailable" }));
  await pause(fleet, manifest);
  expect(marks(fleet)).toBe("- 1p 1p 1p 1p");
  fleet.down.clear();
  expect((await fleet.apply(manifest)).status).toBe("paused");
  const again = await markRollout({
    manifest,
    service: "web",
    paused: true,
    connector: fleet.connector,
    by: "bob@lap",
    now: () => new Date(),
  });
  expect(again).toMatchObject({ mark: { by: "ann@desk", at: "2026-01-02T03:04:05.000Z" } });
  expect(marks(fleet)).toBe("2p 2p 2p 2p 2p");
  expect((await pause(fleet, manifest)).mark).toBeUndefined();
});

test("a mark that cannot be understood pauses its rollout, and of two that say otherwise the pause counts", async () => {
  const { fleet, manifest } = await begun();
  const write = (name: string, text: string) => fleet.machine(name).setFile(PATH, { text });
  await pause(fleet, manifest);
  await resume(fleet, manifest);
  await write("b", "{");
  const { plan } = await fleet.plan(manifest);
  expect(plan.rollouts).toMatchObject([{ paused: { host: "b", waits: { length: 5 } } }]);
  expect(plan.rollouts?.[0]?.paused?.problem).toContain("not valid JSON");
  // one of a newer Stowage is not written over
  await write("b", JSON.stringify({ version: 9 }));
  const made = await resume(fleet, manifest);
  expect(made.hosts[1]?.problem?.message).toContain("a newer Stowage wrote the one that is there");
  expect(made.after).toMatchObject({ host: "b" });
  expect((await fleet.apply(manifest)).status).toBe("paused");
  await write("b", "{");
  expect((await resume(fleet, manifest)).after).toBeUndefined();
  const text = JSON.stringify({
    ...JSON.parse(fleet.machine("a").read(({ files }) => files[PATH]?.text) ?? ""),
    paused: true,
  });
  await write("d", text);
  expect((await fleet.apply(manifest)).status).toBe("paused");
});

test("a resume that is killed at any call leaves it paused or resumed, and is done by the next", async () => {
  for (const phase of ["before", "after"] as const) {
    let kills = 0;
    for (let nth = 1; ; nth += 1) {
      const { fleet, manifest } = await begun();
      await pause(fleet, manifest);
      fleet.faults = [{ nth, access: "write", phase, effect: "kill" }];
      const end = await resume(fleet, manifest).catch((error: unknown) => error);
      fleet.faults = [];
      const { plan } = await fleet.plan(manifest);
      expect([undefined, 5]).toContain(plan.rollouts?.[0]?.paused?.waits.length);
      await resume(fleet, manifest);
      expect((await fleet.plan(manifest)).plan.rollouts?.[0]?.paused).toBeUndefined();
      if (!(end instanceof SimKilled)) break;
      kills += 1;
    }
    expect(kills).toBe(2);
  }
});

test("a fleet that is renamed keeps its pause, and one that is destroyed leaves nothing of it", async () => {
  const { fleet, manifest } = await begun();
  const named = (name: string, more: object = {}) => ({ ...manifest, name, ...more });
  const renamed = named("store", { formerly: "shop" }) as FleetManifest;
  // said after the renaming and before its apply, it must not be in its way
  await pause(fleet, renamed);
  expect((await fleet.plan(renamed)).plan.rollouts).toMatchObject([
    { paused: { waits: { length: 5 } } },
  ]);
  const moved = await fleet.apply(renamed);
  expect(moved.outcomes.filter(({ status }) => status === "failed")).toEqual([]);
  expect((await fleet.apply(named("store") as FleetManifest)).status).toBe("paused");
  await resume(fleet, renamed);
  expect((await fleet.apply(renamed)).status).toBe("done");
  expect(runningWeb(fleet)).toBe("2 2 2 2 2");
});

test("a pause holds also when the waves are not declared any more", async () => {
  const { fleet, manifest } = await begun();
  await pause(fleet, manifest);
  const without = webService(fleet, undefined);
  expect((await fleet.apply(without)).status).toBe("paused");
  await resume(fleet, without);
  expect((await fleet.apply(without)).status).toBe("done");
  expect(runningWeb(fleet)).toBe("2 2 2 2 2");
});

test("a mark on a host that holds nothing yet goes with the fleet", async () => {
  const fleet = openFleet();
  const manifest = webService(fleet, WAVES);
  await pause(fleet, manifest);
  expect((await fleet.apply(manifest)).status).toBe("paused");
  const { destroyFleet } = await import("../destroy-fleet.ts");
  const end = await destroyFleet({ ...fleet.applyRequest(manifest) });
  expect(end.status).toBe("done");
  const left = fleet.machine("a").read(({ files }) => Object.keys(files));
  expect(left.filter((path) => !/audit.log|\/lock\//.test(path))).toEqual([]);
  expect((await destroyFleet({ ...fleet.applyRequest(manifest) })).status).toBe("converged");
  expect(
    (await planFleet({ ...fleet.applyRequest(manifest), onProgress: undefined })).plan.rollouts,
  ).toMatchObject([{ waves: [{ kind: "canary" }, {}, {}] }]);
});

test("a service that gets another name while its rollout is paused waits all the same, until it is resumed under that", async () => {
  const { fleet, manifest } = await begun();
  await pause(fleet, manifest);
  const renamed = JSON.parse(
    JSON.stringify(manifest).replaceAll('"service":"web"', '"service":"api"'),
  ) as FleetManifest;
  const { plan } = await fleet.plan(renamed);
  expect(plan.rollouts).toMatchObject([
    { service: "api", paused: { by: "ann@desk", waits: { length: 5 } } },
  ]);
  expect((await fleet.apply(renamed)).status).toBe("paused");
  expect(runningWeb(fleet)).toBe("1 1 1 1 1");
  const request = { ...markRequest(fleet, renamed), service: "api" };
  expect(await markRollout({ ...request, paused: true })).toMatchObject({
    before: { by: "ann@desk" },
  });
  expect(await markRollout({ ...request, paused: false })).toMatchObject({
    before: { by: "ann@desk" },
    mark: { service: "api", revision: 2, paused: false },
  });
  expect((await fleet.apply(renamed)).status).toBe("done");
  expect(runningWeb(fleet)).toBe("2 2 2 2 2");
});

test("a pause under the former name of a service comes to an apply that runs with the new one", async () => {
  const { fleet, manifest } = await begun();
  const renamed = JSON.parse(
    JSON.stringify(manifest).replaceAll('"service":"web"', '"service":"api"'),
  ) as FleetManifest;
  inTheMiddle(fleet, "engine.stop", () => pause(fleet, manifest));
  expect((await fleet.apply(renamed)).status).toBe("paused");
  expect(runningWeb(fleet)).toBe("2 1 1 1 1");
});

test("the plan says when the pods of a paused service go and others come in their place", async () => {
  const { fleet, manifest } = await begun();
  await pause(fleet, manifest);
  const other = JSON.parse(
    JSON.stringify(manifest)
      .replaceAll('"service":"web"', '"service":"api"')
      .replaceAll('"web":{', '"api":{'),
  ) as FleetManifest;
  const { plan } = await fleet.plan(other);
  expect(plan.warnings).toEqual([
    expect.stringMatching(
      /^the rollout of web is paused since .* by ann@desk, and the service is not declared any more: a\/web, .* would be removed/,
    ),
  ]);
  expect(
    (await fleet.plan(fleet.manifest({}), { options: { destroy: true } })).plan.warnings,
  ).toEqual([]);
});
