import { expect, test } from "vitest";
import {
  applied,
  digestFor,
  fleet,
  host,
  hostWith,
  input,
  OWNER,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import { type PodSpec, ROSTER_VERSION } from "../model/index.ts";
import { isConverged, plan } from "./index.ts";

const kinds = (spec: PodSpec, before: PodSpec, state: "running" | "exited" = "running") => {
  const old = applied(before);
  const world = hostWith(
    [observed("web", old, state, state === "exited" ? { exitCode: 137 } : {})],
    [record("web", [old])],
  );
  const [change] = plan(input(fleet({ web: spec }), world)).pods;
  return change === undefined
    ? undefined
    : {
        action: change.action,
        steps: change.steps.map((step) =>
          "generation" in step ? `${step.kind} ${step.generation}` : step.kind,
        ),
      };
};

test("plan() is empty when the host is what the manifest says", () => {
  const old = applied(pod());
  const made = plan(
    input(fleet({ web: pod() }), hostWith([observed("web", old)], [record("web", [old])])),
  );
  expect(made).toMatchObject({ pods: [], hostChanges: [], warnings: [] });
  expect(isConverged(made)).toBe(true);
});

test("plan() creates a new pod after its image and joins the host to the fleet", () => {
  const made = plan(input(fleet({ web: pod() }), host({ rosters: new Map() })));
  expect(made.pods[0]).toMatchObject({
    id: "a/web",
    action: "create",
    fresh: 1,
    interrupts: false,
  });
  expect(made.pods[0]?.steps.map(({ kind }) => kind)).toEqual([
    "prepare",
    "start",
    "wait-healthy",
    "commit",
  ]);
  expect(made.pods[0]?.after).toEqual([`a/image:app:1@${digestFor("app:1")}`]);
  expect(made.hostChanges.map(({ action }) => action)).toEqual(["import", "roster"]);
});

test("plan() replaces start-first a pod that holds nothing exclusive", () => {
  expect(kinds(pod({ args: ["b"] }), pod({ args: ["a"] }))).toEqual({
    action: "replace",
    steps: ["prepare 2", "start 2", "wait-healthy 2", "commit 2", "stop 1", "remove 1"],
  });
});

test.each([
  ["a host port", { ports: [{ host: 80 }], network: { mode: "host" } }],
  ["the host's network", { network: { mode: "host" } }],
  ["a writable volume", { volumes: { data: { kind: "named", name: "d" } } }],
] as const)("plan() replaces stop-first a pod that holds %s", (_, rest) => {
  const mounts = "volumes" in rest ? { mounts: [{ volume: "data", path: "/d" }] } : {};
  const make = (arg: string) => pod({ args: [arg], ...mounts }, rest as Partial<PodSpec>);
  const steps = kinds(make("b"), make("a"))?.steps.filter((step) => step !== "create-volume");
  expect(steps).toEqual([
    "prepare 2",
    "stop 1",
    "start 2",
    "wait-healthy 2",
    "commit 2",
    "remove 1",
  ]);
});

test("plan() says that two processes have a volume open when start-first is asked for by name", () => {
  const make = (arg: string) =>
    pod(
      { args: [arg], mounts: [{ volume: "data", path: "/d" }] },
      { volumes: { data: { kind: "named", name: "d" } }, replacement: "start-first" },
    );
  const old = applied(make("a"));
  const made = plan(
    input(fleet({ web: make("b") }), hostWith([observed("web", old)], [record("web", [old])])),
  );
  expect(made.pods[0]?.interrupts).toBe(false);
  expect(made.pods[0]?.notes).toContain(
    "while it is replaced, two processes have volume data open",
  );
});

test("plan() changes a limit live, and shows one that is not set any more", () => {
  const before = pod({ resources: { memoryBytes: 268_435_456 } });
  expect(kinds(pod({ resources: { memoryBytes: 536_870_912 } }), before)).toEqual({
    action: "update",
    steps: ["update 1", "commit 1"],
  });
  const old = applied(before);
  const made = plan(
    input(fleet({ web: pod() }), hostWith([observed("web", old)], [record("web", [old])])),
  );
  expect(made.pods[0]?.reasons).toEqual([
    {
      kind: "declared",
      path: "containers.main.resources.memoryBytes",
      before: 268_435_456,
      verdict: "live",
    },
  ]);
});

test("plan() restarts for a field that needs it, and keeps the generation", () => {
  expect(kinds(pod({ oomScoreAdj: 10 }), pod())).toEqual({
    action: "restart",
    steps: ["stop 1", "update 1", "start 1", "wait-healthy 1", "commit 1"],
  });
});

test("plan() starts a pod whose process was killed, and says so", () => {
  expect(kinds(pod(), pod(), "exited")).toEqual({
    action: "start",
    steps: ["start 1", "wait-healthy 1"],
  });
});

test("plan() counts a process that ended with 0 as done under on-failure", () => {
  const spec = pod({}, { restart: { policy: "on-failure" } });
  const old = applied(spec);
  const world = hostWith([observed("web", old, "exited", { exitCode: 0 })], [record("web", [old])]);
  expect(plan(input(fleet({ web: spec }), world)).pods).toEqual([]);
});

test("plan() sees drift of a declared field and says what it found", () => {
  const spec = pod({ resources: { pidsMax: 10 } });
  const old = applied(spec);
  const found = observed("web", old, "running", { reported: { "resources.pidsMax": 99 } });
  const made = plan(input(fleet({ web: spec }), hostWith([found], [record("web", [old])])));
  expect(made.pods[0]).toMatchObject({
    action: "update",
    reasons: [
      {
        kind: "drift",
        path: "containers.main.resources.pidsMax",
        before: 99,
        after: 10,
        verdict: "live",
      },
    ],
  });
});

test("plan() shows nothing that the user never set", () => {
  const old = applied(pod());
  const found = observed("web", old, "running", {
    reported: { "resources.pidsMax": 99, "env.PATH": "/bin" },
  });
  expect(
    plan(input(fleet({ web: pod() }), hostWith([found], [record("web", [old])]))).pods,
  ).toEqual([]);
});

test("plan() takes no change from the order of a set", () => {
  const make = (...names: string[]) => pod({ security: { capabilitiesAdd: names } });
  expect(
    kinds(make("CAP_NET_ADMIN", "CAP_CHOWN"), make("CAP_CHOWN", "CAP_NET_ADMIN")),
  ).toBeUndefined();
});

test("plan() records a field that was set to its default without touching what runs", () => {
  expect(kinds(pod({ readOnlyRootFilesystem: false }), pod())).toEqual({
    action: "update",
    steps: ["update 1", "commit 1"],
  });
});

test("plan() goes on with a prepared generation that is what is declared", () => {
  const [old, fresh] = [applied(pod({ args: ["a"] })), applied(pod({ args: ["b"] }), 2)];
  const world = hostWith(
    [observed("web", old), observed("web", fresh, "prepared")],
    [record("web", [old, fresh], 1)],
  );
  const made = plan(input(fleet({ web: fresh.spec }), world));
  expect(made.pods[0]).toMatchObject({
    action: "adopt",
    from: { generation: 1 },
    to: { generation: 2 },
  });
  // it may have been killed, have failed, or still be at work
  expect(made.pods[0]?.reasons[0]?.text).toBe(
    "an apply did not finish it; this continues from there",
  );
  expect(made.pods[0]?.steps.map(({ kind }) => kind)).toEqual([
    "start",
    "wait-healthy",
    "commit",
    "stop",
    "remove",
  ]);
});

test("plan() never reuses the number of a generation that was cut short", () => {
  const [old, broken] = [applied(pod({ args: ["a"] })), applied(pod({ args: ["b"] }), 2)];
  const world = hostWith(
    [observed("web", old), { ...observed("web", broken, "missing"), containers: {} }],
    [record("web", [old, broken], 1)],
  );
  const made = plan(input(fleet({ web: broken.spec }), world));
  expect(made.pods[0]).toMatchObject({ action: "replace", fresh: 3 });
  expect(made.pods[0]?.steps[0]).toEqual({ kind: "remove", generation: 2 });
});

test("plan() removes what is not declared, and releases its image afterwards", () => {
  const old = applied(pod());
  const made = plan(input(fleet({}), hostWith([observed("web", old)], [record("web", [old])])));
  expect(made.pods[0]?.steps.map(({ kind }) => kind)).toEqual(["stop", "remove", "forget"]);
  expect(made.hostChanges).toMatchObject([{ action: "release", after: ["a/web"] }]);
});

test("plan() without a record compares what the engine reports and names what it could not compare", () => {
  const spec = pod({ env: { A: "1" }, stopSignal: "SIGINT" });
  const found = observed("web", applied(spec));
  const { stopSignal: _, ...rest } = (found.containers["main"]?.reported ?? {}) as Record<
    string,
    string
  >;
  const main = { ...found.containers["main"], reported: rest } as (typeof found.containers)[string];
  const made = plan(
    input(fleet({ web: spec }), hostWith([{ ...found, containers: { main } }], [])),
  );
  expect(made.pods[0]).toMatchObject({
    action: "adopt",
    steps: [{ kind: "commit", generation: 1 }],
  });
  expect(made.pods[0]?.notes).toEqual([
    "not compared, because its record is missing: containers.main.stopSignal",
  ]);
});

test("plan() refuses a record of a newer Stowage", () => {
  const world = host({ records: new Map([[`${OWNER}/shop/web`, { kind: "newer", version: 9 }]]) });
  expect(() => plan(input(fleet({ web: pod() }), world))).toThrow(
    /record of owner-1\/shop\/web was written by a newer Stowage/,
  );
});

test("plan() refuses to leave an engine that another host of the same machine has", () => {
  const config = { kind: "containerd", namespace: "one" } as const;
  const others = [{ config, kind: "gone", reason: "no socket" }] as const;
  const leaving = (b: object) =>
    plan(
      input(
        fleet({}, { hosts: { a: { address: "local", engine: { kind: "podman" } }, b } }),
        host({ config: { kind: "podman" }, others }),
      ),
    );
  const engine = { kind: "containerd", namespace: "one" };
  expect(() => leaving({ address: "local", engine, stateDir: "/b" })).toThrow(
    /hosts\.a\.engine: its pods are in containerd, which host b of the same machine is declared with/,
  );
  expect(() => leaving({ address: "ssh://ops@127.0.0.1", engine, stateDir: "/b" })).toThrow(
    /host b of the same machine/,
  );
  expect(leaving({ address: "ssh://10.0.0.2", engine }).hosts).toHaveLength(2);
  const own = { kind: "containerd", namespace: "two" };
  expect(leaving({ address: "local", engine: own, stateDir: "/b" }).hosts).toHaveLength(2);
});

test("plan() refuses a host that holds the fleet under another owner, naming who applied it", () => {
  const roster = {
    version: ROSTER_VERSION,
    owner: "other",
    fleet: "shop",
    manager: "cli",
    hosts: {},
    appliedAt: "2026-01-01T00:00:00Z",
    appliedBy: "ann@desk",
  } as const;
  const world = host({ rosters: new Map([["other/shop", { kind: "roster", roster }]]) });
  expect(() => plan(input(fleet({ web: pod() }), world))).toThrow(
    /another owner \(other, applied last by ann@desk/,
  );
  const taken = plan(input(fleet({ web: pod() }), world, { options: { takeOver: true } }));
  expect(taken.hostChanges.map(({ action }) => action)).toContain("rename");
});

test("plan() leaves pods alone that another owner has under the fleet's name", () => {
  const theirs = { ...observed("web", applied(pod())), owner: "other" };
  expect(plan(input(fleet({}), hostWith([theirs], []))).pods).toEqual([]);
});

test("plan() takes away what a killed apply left in the engine", () => {
  const leftovers = [{ name: "stw-x", what: "bundle" }];
  const world = host({ engine: { pods: [], images: [], leftovers } });
  const change = plan(input(fleet({}), world)).hostChanges.find(({ action }) => action === "clean");
  expect(change?.steps).toEqual([{ kind: "remove-leftover", name: "stw-x" }]);
  // nor does it say who left it: a pod that somebody removed by hand leaves the same
  expect(change?.text).toBe("left over, and in use by no pod: bundle stw-x");
});

test("plan() fails on a port that somebody else holds, naming the holder", () => {
  const spec = pod({}, { network: { mode: "host" }, ports: [{ host: 80 }] });
  const world = host({ taken: [{ protocol: "tcp", port: 80, holder: "nginx (pid 7)" }] });
  expect(() => plan(input(fleet({ web: spec }), world))).toThrow(
    /port 80\/tcp of the host is taken by nginx \(pid 7\)/,
  );
});

test("plan() lets a pod take a port over after the one that gives it up", () => {
  const ports = (port: number): Partial<PodSpec> => ({
    network: { mode: "host" },
    ports: [{ host: port }],
  });
  const old = applied(pod({}, ports(80)));
  const world = hostWith([observed("web", old)], [record("web", [old])], {
    taken: [{ protocol: "tcp", port: 80 }],
  });
  const made = plan(input(fleet({ web: pod({}, ports(81)), api: pod({}, ports(80)) }), world));
  expect(made.pods.find(({ pod: name }) => name === "api")?.after).toContain("a/web");
});

test("plan() refuses fields that the engine cannot do, all at once, with the remedy", () => {
  const capabilities = {
    containers: { support: "native" },
    "containers.*.devices": {
      support: "unsupported",
      reason: "it has none",
      instead: "use another engine",
    },
  } as const;
  const spec = pod({ devices: [{ path: "/dev/null" }] }, { hostname: "x" });
  expect(() => plan(input(fleet({ web: spec }), host({ capabilities })))).toThrow(
    /devices\[\/dev\/null\].path: sim 1.0 cannot do this: it has none; use another engine\n.*hostname: sim 1.0 cannot/,
  );
});

test("plan() refuses a bind path that the host does not have", () => {
  const spec = pod(
    { mounts: [{ volume: "x", path: "/x" }] },
    { volumes: { x: { kind: "bind", path: "/srv/x" } } },
  );
  expect(() =>
    plan(input(fleet({ web: spec }), host({ missingPaths: new Set(["/srv/x"]) }))),
  ).toThrow(/hosts.a.pods.web.volumes.x.path: \/srv\/x does not exist on the host/);
});

test("plan() keeps volumes that no pod uses, and says so", () => {
  const world = host({ volumes: new Map([["data", { path: "/v/data", sizeBytes: 5 }]]) });
  expect(plan(input(fleet({}), world)).hosts[0]?.kept).toEqual([
    { volume: "data", path: "/v/data", sizeBytes: 5 },
  ]);
});

test("plan() shows a secret as changed without its value", () => {
  const spec = pod({ env: { KEY: { secret: { fromEnv: "KEY" } } } });
  const old = applied(spec);
  const secrets = new Map([
    [
      "a/web",
      new Map([["containers.main.env.KEY", { state: "changed", variable: "KEY" } as const]]),
    ],
  ]);
  const made = plan(
    input(fleet({ web: spec }), hostWith([observed("web", old)], [record("web", [old])]), {
      secrets,
    }),
  );
  expect(made.pods[0]?.reasons).toEqual([
    { kind: "declared", path: "containers.main.env.KEY", secret: true, verdict: "replace" },
  ]);
});

test("plan() says of what runs which secrets could not be compared, once", () => {
  const spec = pod({ env: { KEY: { secret: { fromEnv: "KEY" } } } });
  const old = applied(spec);
  const state = "not-compared" as const;
  const path = "containers.main.env.KEY";
  const secrets = new Map([["a/web", new Map([[path, { state, why: "KEY is not set here" }]])]]);
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  const made = plan(input(fleet({ web: spec }), world, { secrets }));
  expect(isConverged(made)).toBe(true);
  expect(made.warnings).toEqual([`a/web: ${path} not compared: KEY is not set here`]);
  const changed = { ...spec, labels: { a: "b" } };
  const other = plan(input(fleet({ web: changed }), world, { secrets }));
  expect(other.warnings).toEqual([]);
  expect(other.pods[0]?.notes).toContain(`${path} not compared: KEY is not set here`);
});

test("plan() says that an image is the same where only its name changed", () => {
  const old = applied(pod());
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  const spec = pod({ image: "app:2" });
  const renamed = (digest: string) => ({
    images: new Map([
      [
        "a",
        new Map([
          [
            "app:2",
            { kind: "resolved", image: { reference: "app:2", digest }, available: true } as const,
          ],
        ]),
      ],
    ]),
  });
  const textOf = (digest: string) =>
    plan(input(fleet({ web: spec }), world, renamed(digest))).pods[0]?.reasons.find(
      ({ path }) => path === "containers.main.image",
    )?.text;
  expect(textOf(digestFor("app:1"))).toBe("the same image by another name");
  expect(textOf(digestFor("app:2"))).toBeUndefined();
});

const unproven = ([key, reading]: ReturnType<typeof record>): ReturnType<typeof record> => {
  if (reading.kind !== "record") return [key, reading];
  const { current: _, ...rest } = reading.record;
  return [key, { kind: "record", record: rest }];
};

test("plan() does not call unknown what an apply left unproven of a first generation", () => {
  const [first, second] = [applied(pod()), applied(pod({ command: ["/a"] }), 2)];
  const world = hostWith(
    [observed("web", first), observed("web", second, "exited")],
    [unproven(record("web", [second]))],
  );
  const [change] = plan(input(fleet({ web: pod({ command: ["/b"] }) }), world)).pods;
  expect(change).toMatchObject({
    action: "replace",
    reasons: expect.arrayContaining([
      expect.objectContaining({
        kind: "leftover",
        text: "generation 1 was never proven, and does not match the declaration",
      }),
    ]),
  });
});

test("plan() is not converged while a host cannot be reached", () => {
  const made = plan(input(fleet({ web: pod() }), { kind: "unreachable", reason: "no answer" }));
  expect(made.hostChanges[0]?.text).toBe(
    "the host cannot be reached: no answer; nothing is planned for it",
  );
  expect(isConverged(made)).toBe(false);
});

test("plan() removes the pods of a host that leaves, and shortens the rosters afterwards", () => {
  const old = applied(pod());
  const gone = hostWith([observed("web", old)], [record("web", [old])]);
  const roster = host().rosters.get(`${OWNER}/shop`) as { roster: { hosts: object } };
  const long = {
    ...roster,
    roster: {
      ...roster.roster,
      hosts: { a: { address: "local", engine: "sim" }, b: { address: "local", engine: "sim" } },
    },
  };
  const manifest = fleet({});
  const made = plan(
    input(manifest, host({ rosters: new Map([[`${OWNER}/shop`, long as never]]) }), {
      hosts: new Map([
        ["a", host({ rosters: new Map([[`${OWNER}/shop`, long as never]]) })],
        ["b", gone],
      ]),
      leaving: new Map([["b", { address: "local", engine: { kind: "sim" } }]]),
    }),
  );
  expect(made.pods).toMatchObject([{ id: "b/web", action: "remove" }]);
  expect(made.hostChanges.find(({ id }) => id === "b/roster")).toMatchObject({
    action: "leave",
    after: ["b/web"],
  });
  expect(made.hostChanges.find(({ id }) => id === "a/roster")?.after).toEqual(["b/roster"]);
});
