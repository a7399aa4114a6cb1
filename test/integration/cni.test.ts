import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Engine, PodInstance } from "../../src/engine/index.ts";
import type { Port } from "../../src/model/index.ts";
import { withNetworks } from "../../src/network/index.ts";
import { CniFolder, cniTraces } from "../support/cni-folder.ts";
import { EVERY_KILL } from "../support/every-kill.ts";
import { NetworkWorld } from "./networks/network-world.ts";

let world: NetworkWorld;
let cni: CniFolder;
let engine: Engine;

beforeEach(() => {
  world = new NetworkWorld();
  cni = new CniFolder();
  engine = world.engine(withNetworks);
});

afterEach(async () => {
  cni.describe({});
  cni.killAt(0, "before");
  for (const { pod } of [...world.inner.pods.values()]) await engine.remove(pod.identity);
  const left = traces();
  await world[Symbol.asyncDispose]();
  cni[Symbol.dispose]();
  expect(left).toEqual([]);
});

const WEB: readonly Port[] = [
  { host: 18080, container: 8080 },
  { host: 18081, container: 8080, protocol: "udp" },
];

/** Everything that is there for pods. */
function traces(): readonly string[] {
  const state = join(world.folder, "state", ".cni");
  const shared = join(world.folder, "cni");
  return [
    ...cniTraces(world.machine.sh("iptables-save; ip -o link show type veth")),
    ...cni.leases(),
    ...[state, shared].flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : [])),
  ];
}

function podOf(name: string, ports: readonly Port[] = []): PodInstance {
  return world.pod(name, { network: { mode: "cni", cni: cni.network }, ports });
}

async function run(name: string, ports: readonly Port[] = []): Promise<PodInstance> {
  const pod = podOf(name, ports);
  await engine.prepare(pod);
  await engine.start(pod);
  return pod;
}

const page = (at = "http://127.0.0.1:18080/") => world.machine.page(at);

test("a pod is in a network of the host's own: its address, its ports, its names; and all of it goes", async () => {
  const web = await run("web", WEB);
  const seen = await world.seen(engine, web);
  expect(seen?.address).toMatch(/^10\.77\./);
  expect(seen?.detached).toBeUndefined();
  expect(seen?.reported).toMatchObject({ "network.mode": "cni", "network.cni.name": "lan" });
  expect(await page()).toBe("page of web");
  expect(await world.machine.datagram("127.0.0.1", 18081)).toBe("ping of web");
  const db = await run("db");
  const hosts = readdirSync(join(world.folder, "cni")).map((each) =>
    readFileSync(join(world.folder, "cni", each, "hosts"), "utf8"),
  );
  expect(hosts).toEqual([expect.stringContaining(`${seen?.address}\tweb\n`)]);
  expect(hosts[0]).toContain(`${(await world.seen(engine, db))?.address}\tdb\n`);
  // what it gives up with a stop it has again with a start, and the other one has its own all along
  await engine.stop(web.identity);
  expect(cni.leases()).toHaveLength(1);
  expect(await page()).toBeUndefined();
  expect((await world.seen(engine, web))?.address).toBeUndefined();
  await engine.start(web);
  expect(await page()).toBe("page of web");
  expect((await world.seen(engine, db))?.detached).toBeUndefined();
  expect((await engine.observe()).leftovers).toEqual([]);
});

test.each([
  ["NAT rules are flushed", /rule that forwards a host port/, () => "iptables -t nat -F"],
  [
    "its interface is down",
    /eth0 is down/,
    (file: string) => `nsenter --net=${file} ip link set eth0 down`,
  ],
  [
    "its interface is deleted",
    /eth0 is down/,
    (file: string) => `nsenter --net=${file} ip link del eth0`,
  ],
  [
    "its namespace is let go",
    /namespace was deleted/,
    (file: string) => `umount ${file}; rm ${file}`,
  ],
] as const)(
  "said in a sentence, and mended under the running process: %s",
  async (_, sentence, damage) => {
    const web = await run("web", WEB);
    const { containers } = (await world.seen(engine, web)) ?? {};
    const [network = ""] = readdirSync(join(world.folder, "cni"));
    const folder = join(world.folder, "cni", network, "netns");
    world.machine.sh(damage(join(folder, readdirSync(folder)[0] ?? "")));
    expect((await world.seen(engine, web))?.detached).toMatch(sentence);
    await engine.start(web);
    const seen = await world.seen(engine, web);
    expect(seen).toMatchObject({ containers });
    expect(seen?.detached).toBeUndefined();
    expect(await page()).toBe("page of web");
    expect(cni.leases()).toEqual([seen?.address]);
  },
);

test("a plugin that was sure of its work is believed when it is not any more", async () => {
  const web = await run("web");
  world.machine.sh("ip link set cnit0 down; ip link del cnit0");
  expect((await world.seen(engine, web))?.detached).toMatch(
    /plugin of CNI network lan says: .*cnit0/,
  );
  await engine.start(web);
  expect((await world.seen(engine, web))?.detached).toBeUndefined();
});

test("what is not there is said by name, before anything is made", async () => {
  const about = async (wanted: object) =>
    (await engine.observe({ network: true, cni: [{ ...cni.network, ...wanted }] })).network?.cni;
  expect(await about({})).toEqual([{ wanted: cni.network, publishes: true }]);
  const [missing] = (await about({ name: "wan" })) ?? [];
  expect(missing?.problem).toMatch(/Cannot find CNI network "wan" in .*: there are lan;/);
  const [empty] = (await about({ pluginDirs: ["/var/empty"] })) ?? [];
  expect(empty?.problem).toMatch(/its plugin "bridge" is not in \/var\/empty;/);
  const web = podOf("web", WEB);
  writeFileSync(join(cni.configDir, "00-broken.conf"), "{");
  cni.describe({ ports: false });
  expect((await about({}))?.[0]?.publishes).toBe(false);
  await engine.prepare(web);
  await expect(engine.start(web)).rejects.toThrow(/none of its plugins maps host ports/);
  cni.describe({ more: { plugins: [{ type: "../../bin/sh" }] } });
  await expect(engine.start(web)).rejects.toThrow(
    /10-lan\.conflist cannot be read as CNI networks/,
  );
});

test("a configuration that was changed, or is gone, takes back what it made", async () => {
  const web = await run("web", WEB);
  cni.describe({ more: { cniVersion: "0.4.0" } });
  expect((await world.seen(engine, web))?.detached).toMatch(
    /configuration of CNI network lan was changed/,
  );
  await engine.start(web);
  expect((await world.seen(engine, web))?.detached).toBeUndefined();
  expect(cni.leases()).toHaveLength(1);
  cni.describe({ more: { name: "other" } });
  expect((await world.seen(engine, web))?.detached).toBeUndefined();
  await engine.remove(web.identity);
  expect(traces()).toEqual([]);
});

test("a lease that outlived a boot goes with its pod, or is taken again by its start", async () => {
  const reboot = async () => {
    for (const pod of world.inner.pods.values()) await world.inner.stop(pod.pod.identity);
    world.machine.sh(
      `for f in ${world.folder}/cni/*/netns/*; do umount $f; done; rm -r ${world.folder}/cni
iptables -t nat -F; iptables -t nat -X; iptables -F; iptables -X; ip link del cnit0`,
    );
  };
  const web = await run("web", WEB);
  await reboot();
  expect(cni.leases()).toHaveLength(1);
  await engine.start(web);
  expect(await page()).toBe("page of web");
  expect(cni.leases()).toHaveLength(1);
  await reboot();
  await engine.remove(web.identity);
  expect(traces()).toEqual([]);
});

/** An engine that knows nothing of what was done before: what a process knows dies with it. */
async function fresh(): Promise<Engine> {
  vi.resetModules();
  return world.engine((await import("../../src/network/index.ts")).withNetworks);
}

async function live(on: Engine, web: PodInstance): Promise<void> {
  await on.prepare(web);
  await on.start(web);
  await on.stop(web.identity);
  await on.start(web);
}

async function takenAway(by: Engine, pod: PodInstance): Promise<readonly string[]> {
  if (world.inner.pods.size > 0) await by.remove(pod.identity);
  for (const { name } of (await by.observe()).leftovers) await by.removeLeftover(name);
  return traces();
}

const KILLS = { before: 1, after: 2, beside: 3 } as const;

test.each(["before", "after", "beside"] as const)(
  "killed as it runs a plugin (%s), it is mended by doing the same again, and nothing is left",
  async (phase) => {
    const [first, stride] = EVERY_KILL ? [1, 1] : [KILLS[phase], 5];
    let died = true;
    for (let nth = first, turn = 1; died; nth += stride, turn += 1) {
      const web = podOf("web", WEB);
      cni.killAt(nth, phase);
      const cut = await fresh();
      died = await live(cut, web)
        .then(() => cut.remove(web.identity))
        .then(
          () => false,
          () => true,
        );
      cni.killAt(0, phase);
      const again = await fresh();
      // what belongs to no pod goes by itself, or everything is done again over what is left
      if (turn % 2 === 1)
        expect({ nth, left: await takenAway(again, web) }).toEqual({ nth, left: [] });
      await live(again, web);
      expect({ nth, page: await page() }).toEqual({ nth, page: "page of web" });
      expect((await world.seen(again, web))?.detached).toBeUndefined();
      await again.remove(web.identity);
      expect({ nth, left: traces() }).toEqual({ nth, left: [] });
      expect(died || nth > 10).toBe(true);
    }
  },
  120_000,
);
