import { expect, test } from "vitest";
import {
  applied,
  fleet,
  host,
  hostWith,
  input,
  OWNER,
  observed,
  pod,
  record,
} from "../../test/support/plan-world.ts";
import {
  bridgeName,
  type ForwardedPort,
  type ObservedPod,
  type PodSpec,
  type TakenSubnet,
} from "../model/index.ts";
import { plan } from "./index.ts";

const bridged = (rest: Partial<PodSpec> = {}, container = {}): PodSpec =>
  pod(container, { network: { mode: "bridge", name: "front" }, ...rest });

function planOf(
  spec: PodSpec,
  found: Partial<ObservedPod>,
  state: "running" | "exited" = "running",
) {
  const old = applied(spec);
  const { address: _, ...bare } = observed("web", old, state);
  const seen = { ...bare, ...found };
  return plan(input(fleet({ web: spec }), hostWith([seen], [record("web", [old])]))).pods;
}

test("plan() is empty for a pod that is in its network", () => {
  expect(planOf(bridged(), { address: "10.1.0.2" })).toEqual([]);
});

test.each([
  [
    "what the engine says of it",
    { address: "10.1.0.2", detached: "the bridge is gone" },
    "the bridge is gone",
  ],
  ["that nothing is left of it", {}, "everything that was made of its network is gone"],
] as const)("plan() mends the network of a running pod by a start, saying %s", (_, found, text) => {
  const [change] = planOf(bridged(), found);
  expect(change).toMatchObject({
    action: "start",
    interrupts: false,
    reasons: [{ kind: "state", path: "", text }],
  });
  expect(change?.steps.map(({ kind }) => kind)).toEqual(["start", "wait-healthy"]);
});

test("plan() says nothing of the network of a pod that does not run: its start makes it", () => {
  const reasons = planOf(bridged(), {}, "exited").flatMap((change) => change.reasons);
  expect(reasons.map(({ path }) => path)).toEqual(["containers.main"]);
});

test("plan() replaces a pod of which the network's subnet changed", () => {
  const at = (subnet: string) => bridged({ network: { mode: "bridge", name: "front", subnet } });
  const old = applied(at("10.1.0.0/24"));
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  const [change] = plan(input(fleet({ web: at("10.2.0.0/24") }), world)).pods;
  expect(change).toMatchObject({
    action: "replace",
    reasons: [{ path: "network.subnet", before: "10.1.0.0/24", after: "10.2.0.0/24" }],
  });
});

test("plan() replaces stop-first a pod in a network that publishes a port", () => {
  const make = (arg: string) => bridged({ ports: [{ host: 80 }] }, { args: [arg] });
  const old = applied(make("a"));
  const world = hostWith([observed("web", old)], [record("web", [old])]);
  const [change] = plan(input(fleet({ web: make("b") }), world)).pods;
  expect(change?.steps.map(({ kind }) => kind)).toEqual([
    "prepare",
    "stop",
    "start",
    "wait-healthy",
    "commit",
    "remove",
  ]);
});

const engineWith = (forwards: readonly ForwardedPort[], subnets: readonly TakenSubnet[] = []) =>
  host({ engine: { pods: [], images: [], leftovers: [], network: { forwards, subnets } } });
const forward = {
  protocol: "tcp",
  port: 80,
  holder: "a rule of chain X, which leads it to 10.9.9.9:1",
} as const;

test("plan() fails on a port that a rule of somebody else leads elsewhere, naming it", () => {
  const spec = bridged({ ports: [{ host: 80, container: 8080 }] });
  expect(() => plan(input(fleet({ web: spec }), engineWith([forward])))).toThrow(
    /port 80\/tcp of the host is taken by a rule of chain X/,
  );
});

test("plan() lets a port of one address be where only another address has it", () => {
  const spec = bridged({ ports: [{ host: 80, hostIp: "10.0.0.1" }] });
  const at = (hostIp: string) => engineWith([{ ...forward, hostIp }]);
  expect(() => plan(input(fleet({ web: spec }), at("10.0.0.1")))).toThrow(/10\.0\.0\.1:80\/tcp/);
  expect(plan(input(fleet({ web: spec }), at("10.0.0.2"))).pods).toHaveLength(1);
});

test("plan() lets a pod take over the port of one that ended and has its rule still", () => {
  const ports = [{ host: 80 }];
  const old = applied(bridged({ ports }));
  const world = hostWith([observed("old", old, "exited")], [record("old", [old])]);
  const engine = {
    ...world.engine,
    network: { forwards: [{ ...forward, pod: `${OWNER}/shop/old` }], subnets: [] },
  };
  const made = plan(input(fleet({ web: bridged({ ports }) }), { ...world, engine }));
  expect(made.pods.find((change) => change.pod === "web")?.after).toContain("a/old");
});

test("plan() makes a pod again that somebody removed while its rule is left", () => {
  const spec = bridged({ ports: [{ host: 80 }] });
  const world = hostWith([], [record("web", [applied(spec)])]);
  const at = (pod: string) => ({
    ...world,
    engine: { ...world.engine, network: { forwards: [{ ...forward, pod }], subnets: [] } },
  });
  const planned = (pod: string) => plan(input(fleet({ web: spec }), at(pod))).pods;
  expect(planned(`${OWNER}/shop/web`)).toMatchObject([{ action: "create" }]);
  expect(() => planned(`${OWNER}/other/web`)).toThrow(/port 80\/tcp of the host is taken/);
});

test("plan() knows a bridge of its own by its name, where all that was noted of it is gone", () => {
  const subnet = "10.1.0.0/24";
  const spec = bridged({ network: { mode: "bridge", name: "front", subnet } });
  const at = { owner: OWNER, fleet: "shop", host: "a" };
  const planned = (runDir: string) => {
    const device = bridgeName(runDir, at, { name: "front", subnet });
    const world = engineWith([], [{ subnet, holder: `interface ${device}`, device }]);
    return plan(input(fleet({ web: spec }), world)).pods;
  };
  expect(planned("/run/stowage")).toMatchObject([{ action: "create" }]);
  expect(() => planned("/run/other")).toThrow(/interface stw-/);
});

test("plan() fails on a subnet that the host has already, but for the network's own", () => {
  const spec = bridged({ network: { mode: "bridge", name: "front", subnet: "10.1.0.0/24" } });
  const taken = (holder: string, subnet: string, network?: string) =>
    engineWith([], [{ subnet, holder, ...(network === undefined ? {} : { network }) }]);
  const planned = (world: ReturnType<typeof host>) => plan(input(fleet({ web: spec }), world)).pods;
  expect(() => planned(taken("interface eth0", "10.1.0.0/16"))).toThrow(
    /10\.1\.0\.0\/16 \(interface eth0\)/,
  );
  expect(planned(taken("its own", "10.1.0.0/24", `${OWNER}/shop/front`))).toHaveLength(1);
  expect(() => planned(taken("its former one", "10.1.0.0/16", `${OWNER}/shop/front`))).toThrow(
    /former/,
  );
});
