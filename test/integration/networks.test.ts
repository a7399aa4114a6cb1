import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Engine, PodInstance } from "../../src/engine/index.ts";
import { objectName, type PodSpec } from "../../src/model/index.ts";
import { withNetworks } from "../../src/network/index.ts";
import { EVERY_KILL } from "../support/every-kill.ts";
import { NetworkWorld } from "./networks/network-world.ts";
import { ServerEngine } from "./networks/server-engine.ts";

let world: NetworkWorld;
let engine: Engine;

beforeEach(() => {
  world = new NetworkWorld();
  engine = world.engine(withNetworks);
});

afterEach(async () => {
  for (const { pod } of [...world.inner.pods.values()]) await engine.remove(pod.identity);
  const left = world.machine.traces().filter((line) => line.includes("stw-"));
  await world[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

const WEB = [
  { host: 18080, container: 8080 },
  { host: 18081, container: 8080, protocol: "udp" },
] as const;

async function run(name: string, spec: Partial<PodSpec> = {}, by = engine): Promise<PodInstance> {
  const pod = world.pod(name, spec);
  await by.prepare(pod);
  await by.start(pod);
  return pod;
}

test("a published port answers on the host, its loopback, to other pods, the pod itself and outside", async () => {
  const { machine } = world;
  machine.sh("iptables -P FORWARD DROP");
  const web = await run("web", { ports: WEB });
  const other = await run("other");
  expect(await machine.page("http://127.0.0.1:18080/")).toBe("page of web");
  expect(await machine.datagram("127.0.0.1", 18081)).toBe("ping of web");
  for (const asking of [other, web])
    expect(await machine.page("http://10.20.30.1:18080/", world.namespace(asking))).toBe(
      "page of web",
    );
  const { file, gateway } = machine.neighbour();
  expect(await machine.page(`http://${gateway}:18080/`, file)).toBe("page of web");
  const { address } = (await world.seen(engine, web)) ?? {};
  expect(await machine.page(`http://${address}:8080/`, world.namespace(other))).toBe("page of web");
  // only what is published is offered to others
  expect(await machine.page(`http://${address}:8080/`, file)).toBeUndefined();
});

test("networks are apart, but for what a pod publishes; an internal one leads nowhere", async () => {
  const { machine } = world;
  const web = await run("web", { ports: WEB });
  const back = await run("back", { network: { mode: "bridge", name: "back" } });
  const inside = await run("inside", {
    network: { mode: "bridge", name: "in", subnet: "10.20.31.0/24", internal: true },
  });
  const { address } = (await world.seen(engine, web)) ?? {};
  expect(await machine.page(`http://${address}:8080/`, world.namespace(back))).toBeUndefined();
  expect(await machine.page("http://10.20.30.1:18080/", world.namespace(back))).toBe("page of web");
  expect(await machine.page("http://10.20.30.1:18080/", world.namespace(inside))).toBeUndefined();
  expect((await world.seen(engine, back))?.detached).toBeUndefined();
  expect((await world.seen(engine, inside))?.detached).toBeUndefined();
});

test("a port of one address of the host answers there alone", async () => {
  const { machine } = world;
  machine.sh("ip addr add 198.51.100.7/32 dev lo");
  await run("web", { ports: [{ host: 18080, container: 8080, hostIp: "198.51.100.7" }] });
  expect(await machine.page("http://198.51.100.7:18080/")).toBe("page of web");
  expect(await machine.page("http://127.0.0.1:18080/")).toBeUndefined();
});

test("names of pods are true in the very file that running containers have, on whatever engine they are", async () => {
  await using other = new ServerEngine();
  const second = world.engine(withNetworks, "two", other);
  const web = await run("web", { hostname: "www.example" });
  const file = world.places.hostsFile(world.bridge(web));
  // as a running container has it: a file in its place may get the same inode
  const held = openSync(file, "r");
  onTestFinished(() => closeSync(held));
  const db = await run("a-long-name-for-a-database", {}, second);
  const [one, two] = [await world.seen(engine, web), await world.seen(second, db)];
  expect(readFileSync(file, "utf8")).toBe(
    `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${two?.address}\ta-long-name-for-a-database\n${one?.address}\tweb www.example\n`,
  );
  // neither engine takes the other's for what is left of an apply
  expect((await engine.observe()).leftovers).toEqual([]);
  expect((await second.observe()).leftovers).toEqual([]);
  await second.remove(db.identity);
  expect(readFileSync(file, "utf8")).toMatch(/ip6-loopback\n[0-9.]+\tweb www\.example\n$/);
  expect(fstatSync(held)).toMatchObject({ nlink: 1, mode: 0o100644 });
});

const NAMELESS = "the name list of network front is wrong";
const DRIFT: readonly (readonly [what: string, RegExp, (pod: PodInstance) => string])[] = [
  [
    "the namespace's file is gone",
    /namespace was deleted/,
    (pod) => `umount ${world.namespace(pod)}; rm ${world.namespace(pod)}`,
  ],
  [
    "the bridge is deleted",
    /bridge of network front .* was deleted/,
    (pod) => `ip link del ${world.bridge(pod)}`,
  ],
  ["the bridge is down", /is down/, (pod) => `ip link set ${world.bridge(pod)} down`],
  [
    "the bridge has no address",
    /lost its address/,
    (pod) => `ip addr flush dev ${world.bridge(pod)}`,
  ],
  [
    "the interface is deleted",
    /no interface in its network/,
    (pod) => `ip link del ${world.link(pod)}`,
  ],
  [
    "the interface is off the bridge",
    /not on the bridge/,
    (pod) => `ip link set ${world.link(pod)} nomaster`,
  ],
  [
    "the interface is half made",
    /not on the bridge/,
    (pod) => `ip link set dev ${world.link(pod)} down nomaster alias half`,
  ],
  ["NAT rules are flushed", /port 18080\/tcp .* was removed/, () => "iptables -t nat -F"],
  [
    "the rule of a port is deleted",
    /port 18080\/tcp .* was removed/,
    (pod) => `iptables -t nat -D ${world.bridge(pod)}-dnat 1`,
  ],
  [
    "a rule that leads to the chains is deleted",
    /rules of network front/,
    () => "iptables -D FORWARD 1",
  ],
  [
    "a rule is put in the place of another",
    /rules of network front/,
    (pod) => `iptables -R ${world.bridge(pod)}-fwd 1 -i lo -j ACCEPT`,
  ],
  ["packets are not forwarded", /ip_forward is 0/, () => "echo 0 >/proc/sys/net/ipv4/ip_forward"],
];

test.each(DRIFT)(
  "said in a sentence, and mended under the running process: %s",
  async (_, sentence, damage) => {
    const web = await run("web", { ports: WEB });
    const { containers, detached } = (await world.seen(engine, web)) ?? {};
    expect(detached).toBeUndefined();
    world.machine.sh(damage(web));
    expect((await world.seen(engine, web))?.detached).toMatch(sentence);
    await engine.start(web);
    expect(await world.seen(engine, web)).toMatchObject({ containers });
    // its file is that of the process, not of another namespace that looks the same
    const pid = containers?.["main"]?.pid;
    const [file, own] = [world.namespace(web), `/proc/${pid}/ns/net`].map(
      (path) => statSync(path).ino,
    );
    expect(file).toBe(own);
    expect((await world.seen(engine, web))?.detached).toBeUndefined();
    expect(await world.machine.page("http://127.0.0.1:18080/")).toBe("page of web");
  },
);

test("names that somebody rewrote, and files that somebody deleted, are made again", async () => {
  const web = await run("web", { ports: WEB });
  writeFileSync(world.places.hostsFile(world.bridge(web)), "10.0.0.1 web\n");
  expect((await world.seen(engine, web))?.detached).toBe(NAMELESS);
  await engine.start(web);
  expect((await world.seen(engine, web))?.detached).toBeUndefined();
  world.machine.sh(`umount ${world.namespace(web)}`);
  rmSync(world.places.root, { recursive: true });
  // the plan takes a running pod without an address for one that is in no network
  expect(await world.seen(engine, web)).not.toHaveProperty("address");
  await engine.start(web);
  expect((await world.seen(engine, web))?.detached).toBeUndefined();
  expect(await world.machine.page("http://127.0.0.1:18080/")).toBe("page of web");
});

test("half a file that a killed writer left is found by the generation that it was to be of, and goes", async () => {
  const web = await run("web", { ports: WEB });
  const name = objectName(world.pod("web", {}, 2).identity);
  const half = join(world.places.podsDirectory(world.bridge(web)), `.${name}.json.tmp`);
  writeFileSync(half, "{");
  expect((await engine.observe()).leftovers).toEqual([{ name, what: "network of a pod" }]);
  await engine.removeLeftover(name);
  expect(existsSync(half)).toBe(false);
  expect((await engine.observe()).leftovers).toEqual([]);
  expect((await world.seen(engine, web))?.detached).toBeUndefined();
  expect(await world.machine.page("http://127.0.0.1:18080/")).toBe("page of web");
});

test("a network of which nothing says what it is goes when no pod is in it, with bridge and rules", async () => {
  const web = await run("web", { ports: WEB });
  const [bridge, directory] = [world.bridge(web), world.places.directory(world.bridge(web))];
  rmSync(world.places.networkFile(bridge));
  // the pod in it is known: its next start makes the network whole
  expect((await engine.observe()).leftovers).toEqual([]);
  await engine.removeLeftover(bridge);
  expect(await world.machine.page("http://127.0.0.1:18080/")).toBe("page of web");
  await world.inner.remove(web.identity);
  const name = objectName(web.identity);
  expect((await engine.observe()).leftovers).toEqual([{ name, what: "network of a pod" }]);
  await engine.removeLeftover(name);
  expect((await engine.observe()).leftovers).toEqual([{ name: bridge, what: "network" }]);
  await engine.removeLeftover(bridge);
  expect((await engine.observe()).leftovers).toEqual([]);
  expect(existsSync(directory)).toBe(false);
  expect(world.machine.traces().filter((line) => line.includes("stw-"))).toEqual([]);
});

test("what others have is named, kept out of the way of, and never touched", async () => {
  const { machine } = world;
  machine.sh(`ip link add br9 type bridge; ip addr add 10.64.0.1/11 dev br9; ip link set br9 up
iptables -t nat -A PREROUTING -p tcp --dport 18090:18091 -j DNAT --to-destination 10.9.9.9:1
iptables -A FORWARD -s 10.9.9.9/32 -j ACCEPT`);
  const foreign = (): string =>
    machine.sh("iptables-save | grep 9.9.9; ip -o -4 addr show dev br9");
  const before = foreign();
  const { network } = await engine.observe({ network: true });
  expect(network?.forwards).toEqual(
    [18090, 18091].map((port) => ({
      protocol: "tcp",
      port,
      holder: "a rule of chain PREROUTING, which leads it to 10.9.9.9:1",
    })),
  );
  expect(network?.subnets).toContainEqual({
    subnet: "10.64.0.0/11",
    holder: "interface br9",
    device: "br9",
  });
  const pod = await run("web", { network: { mode: "bridge", name: "any" }, ports: WEB });
  // the half of the pool that nobody has
  expect((await world.seen(engine, pod))?.address).toMatch(/^10\.(?:9[6-9]|1[01]\d|12[0-7])\./);
  await engine.stop(pod.identity);
  await engine.remove(pod.identity);
  expect(foreign()).toBe(before);
});

/** Takes away all that is known of a pod, and what belongs to none. @returns what is there still */
async function takenAway(by: Engine, pod: PodInstance): Promise<readonly string[]> {
  if (world.inner.pods.size > 0) await by.remove(pod.identity);
  for (const { name } of (await by.observe()).leftovers) await by.removeLeftover(name);
  const files = existsSync(world.places.root) ? readdirSync(world.places.root) : [];
  return [...world.machine.traces(), ...files];
}

test.each(["before", "after"] as const)(
  "killed %s a program that it runs, it is mended by doing the same again, and nothing is left",
  async (phase) => {
    // each direction at its own ones, unless all are asked for
    const [first, stride] = EVERY_KILL ? [1, 1] : [phase === "before" ? 1 : 4, 6];
    let turn = 0;
    for (let nth = first; ; nth += stride) {
      // what a process knows of the host dies with it
      const fresh = async (): Promise<Engine> => {
        vi.resetModules();
        return world.engine((await import("../../src/network/index.ts")).withNetworks);
      };
      const web = world.pod("web", { ports: WEB });
      const life = async (on: Engine): Promise<void> => {
        await on.prepare(web);
        await on.start(web);
        await on.stop(web.identity);
        await on.start(web);
      };
      world.killAt(nth, phase);
      const cut = await fresh();
      const died = await life(cut)
        .then(() => cut.remove(web.identity))
        .then(
          () => false,
          () => true,
        );
      world.killAt(0, phase);
      const again = await fresh();
      // what belongs to no pod goes by itself, or everything is done again over what is left
      turn += 1;
      if (turn % 2 === 1)
        expect({ nth, left: await takenAway(again, web) }).toEqual({ nth, left: [] });
      await life(again);
      expect({ nth, page: await world.machine.page("http://127.0.0.1:18080/") }).toEqual({
        nth,
        page: "page of web",
      });
      expect((await world.seen(again, web))?.detached).toBeUndefined();
      await again.remove(web.identity);
      expect({ nth, left: world.machine.traces() }).toEqual({ nth, left: [] });
      expect((await again.observe()).leftovers).toEqual([]);
      if (!died) {
        expect(nth).toBeGreaterThan(15);
        return;
      }
    }
  },
  120_000,
);
