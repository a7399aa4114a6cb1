import { expect, test } from "vitest";
import {
  applied,
  host,
  hostWith,
  input,
  OWNER,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import { FleetManifest, MANIFEST_VERSION, type PodSpec, type Rollout } from "../model/index.ts";
import { type HostObservation, type PlanOptions, plan } from "./index.ts";

const NAMES = ["a", "b", "c", "d", "e"];
const PORT: Partial<PodSpec> = { network: { mode: "host" }, ports: [{ host: 80 }] };

function serviceOf(rollout: Rollout, image = "app:2", rest: Partial<PodSpec> = {}): PodSpec {
  return pod({ image }, { service: "web", rollout, ...rest });
}

function manifestOf(spec: PodSpec): FleetManifest {
  return FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: OWNER,
    hosts: Object.fromEntries(
      NAMES.map((name) => [
        name,
        { address: "local", engine: { kind: "sim" }, pods: { web: spec } },
      ]),
    ),
  });
}

/** The plan of five hosts: `now` says what each runs, and whether it does. */
function planned(
  desired: PodSpec,
  now: (name: string) => { readonly spec: PodSpec; readonly isDown?: boolean },
  seen: Partial<HostObservation> = {},
  options: PlanOptions = {},
) {
  const made = input(manifestOf(desired), host());
  const hosts = NAMES.map((name) => {
    const { spec, isDown = false } = now(name);
    const old = applied(spec);
    const found = { ...observed("web", old, isDown ? "exited" : "running"), host: name };
    return [name, hostWith([found], [record("web", [old])], seen)] as const;
  });
  return plan({ ...made, hosts: new Map(hosts), options });
}

function wavesOf(...args: Parameters<typeof planned>) {
  const [rollout] = planned(...args).rollouts ?? [];
  return rollout?.waves.map(({ kind, changes }) =>
    [kind, ...changes.map((id) => id.replace("/web", ""))].join(" "),
  );
}

test("plan() changes canaries first, then waves of no more pods than may be unavailable", () => {
  const rollout = { canary: 1, maxUnavailable: 2 };
  const made = planned(serviceOf(rollout), () => ({ spec: serviceOf(rollout, "app:1") }));
  expect(made.rollouts).toMatchObject([{ service: "web", done: 0, policy: rollout }]);
  const after = (name: string) => made.pods.find(({ id }) => id === `${name}/web`);
  expect(NAMES.map((name) => after(name)?.afterWave)).toEqual([
    undefined,
    ["a/web"],
    ["a/web"],
    ["b/web", "c/web"],
    ["b/web", "c/web"],
  ]);
});

test.each<[string, Rollout, Partial<PodSpec>, readonly string[]]>([
  ["nothing said: all at once", {}, {}, ["wave a b c d e"]],
  ["a canary, then all", { canary: 1 }, {}, ["canary a", "wave b c d e"]],
  [
    "more canaries than may be down",
    { canary: 2, maxUnavailable: 1 },
    {},
    ["canary a", "canary b", "wave c", "wave d", "wave e"],
  ],
  ["two generations at once", { maxSurge: 3 }, {}, ["wave a b c", "wave d e"]],
  [
    "as many twice as may be, beside those down",
    { maxSurge: 3, maxUnavailable: 1 },
    {},
    ["wave a b c", "wave d e"],
  ],
  [
    "with a host port each is down for a moment",
    { maxUnavailable: 2 },
    PORT,
    ["wave a b", "wave c d", "wave e"],
  ],
])("plan() makes waves: %s", (_, rollout, rest, waves) => {
  const desired = serviceOf(rollout, "app:2", rest);
  expect(wavesOf(desired, () => ({ spec: serviceOf(rollout, "app:1", rest) }))).toEqual(waves);
});

test("plan() begins with pods that are down already, which cost nothing", () => {
  const rollout = { maxUnavailable: 2 };
  const now = (name: string) => ({ spec: serviceOf(rollout, "app:1"), isDown: name === "d" });
  expect(wavesOf(serviceOf(rollout), now)).toEqual(["wave d a", "wave b c", "wave e"]);
});

test("plan() goes on after canaries that were proven before, and says how many are done", () => {
  const rollout = { canary: 2, maxUnavailable: 2 };
  const now = (name: string) => ({ spec: serviceOf(rollout, name === "a" ? "app:2" : "app:1") });
  expect(wavesOf(serviceOf(rollout), now)).toEqual(["canary b", "wave c d", "wave e"]);
  expect(planned(serviceOf(rollout), now).rollouts).toMatchObject([{ done: 1 }]);
});

test("plan() lets what is newly declared wait while its rollout is paused, after what is to be mended", () => {
  const rollout = { canary: 1, maxUnavailable: 2 };
  const mark = { version: 1, service: "web", revision: 1, paused: true, by: "ann@desk" } as const;
  const marks = new Map([
    [`${OWNER}/shop/web`, { kind: "mark", mark: { ...mark, at: "2026-01-02T03:04:05Z" } }] as const,
  ]);
  const isMended = (name: string) => name === "d" || name === "e";
  const now = (name: string) => ({
    spec: serviceOf(rollout, isMended(name) ? "app:2" : "app:1"),
    isDown: isMended(name),
  });
  const held = planned(serviceOf(rollout), now, { marks });
  expect(held.rollouts).toMatchObject([
    {
      paused: { host: "a", by: "ann@desk", waits: ["a/web", "b/web", "c/web"] },
      waves: [
        { kind: "canary", changes: ["d/web"] },
        { kind: "wave", changes: ["e/web"] },
        { kind: "wave", changes: ["a/web", "b/web"] },
        { kind: "wave", changes: ["c/web"] },
      ],
    },
  ]);
  expect(held.pods.map(({ id }) => id)).toHaveLength(NAMES.length);
  const freed = planned(serviceOf(rollout), now, { marks }, { despitePauses: true });
  expect(freed.rollouts?.[0]?.paused).toBeUndefined();
  expect(freed.warnings.join()).toContain("stays paused since 2026-01-02T03:04:05Z by ann@desk");
});

test("plan() lets each pod of a service stay healthy for as long as is said", () => {
  const rollout = { healthTimeMs: 5000 };
  const made = planned(serviceOf(rollout), () => ({ spec: serviceOf(rollout, "app:1") }));
  for (const { steps } of made.pods)
    expect(steps.filter(({ kind }) => kind === "wait-healthy")).toMatchObject([{ forMs: 5000 }]);
});
