import { describe, expect, test } from "vitest";
import { simImage } from "../../../test/conformance/support/sim-image.ts";
import type { PodInstance } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { generationDigest, type PodSpec } from "../../model/index.ts";
import { openSim, type SimFault, SimMachine, SimWorld } from "./index.ts";

const CONFIG = { kind: "sim" } as const;
const FLEET = { owner: "o", fleet: "f" };
const IMAGE = simImage("docker.io/library/app:1", { entrypoint: ["/bin/app"] });

function podOf(name: string, change: Partial<PodSpec> = {}): PodInstance {
  const spec: PodSpec = { containers: { main: { image: IMAGE.reference } }, ...change };
  const digest = { reference: IMAGE.reference, digest: IMAGE.manifest.digest };
  const images = Object.fromEntries(Object.keys(spec.containers).map((each) => [each, digest]));
  const identity = { ...FLEET, host: "h", pod: name, generation: 1 };
  return {
    identity,
    spec,
    images,
    recordDigest: generationDigest({ spec, images }),
    volumeDirs: {},
  };
}

async function open(faults: readonly SimFault[] = [], config: { maxPods?: number } = {}) {
  const machine = new SimMachine({ clock: "virtual" });
  await openSim(CONFIG, "h", { machine }).engine.importImage(IMAGE, FLEET);
  return openSim({ ...CONFIG, ...config }, "h", { machine, faults });
}

describe("machines", () => {
  test("one name is one machine in a world, and another world has its own", async () => {
    const world = new SimWorld();
    await openSim(CONFIG, "a", { world }).host.writeFile("/srv/x", "text");
    const look = async (name: string, where: SimWorld) =>
      (await openSim(CONFIG, name, { world: where }).host.snapshot({ exist: ["/srv/x"] })).existing;
    expect([...(await look("a", world))]).toEqual(["/srv/x"]);
    expect([...(await look("b", world))]).toEqual([]);
    expect([...(await look("a", new SimWorld()))]).toEqual([]);
  });

  test("reads and writes are counted apart", async () => {
    const { engine, host, machine } = await open();
    const before = { ...machine.counters };
    await engine.observe();
    await host.snapshot({});
    await host.writeFile("/srv/x", "");
    expect(machine.counters).toEqual({ reads: before.reads + 2, writes: before.writes + 1 });
    expect(machine.calls.slice(-3)).toEqual(["engine.observe", "host.snapshot", "host.writeFile"]);
  });

  test("a handle that was let go refuses calls, and the other port goes on", async () => {
    const { engine, host } = await open();
    await engine[Symbol.asyncDispose]();
    await expect(engine.observe()).rejects.toMatchObject({ code: "failed_precondition" });
    await expect(host.snapshot({})).resolves.toBeDefined();
  });

  test("a full host is resource_exhausted, until a pod is removed", async () => {
    const { engine } = await open([], { maxPods: 1 });
    const [first, second] = [podOf("first"), podOf("second")];
    await engine.prepare(first);
    await engine.prepare(first);
    await expect(engine.prepare(second)).rejects.toMatchObject({ code: "resource_exhausted" });
    await engine.remove(first.identity);
    await expect(engine.prepare(second)).resolves.toBeUndefined();
  });

  test("latency passes on the machine's clock for each call", async () => {
    const machine = new SimMachine({ clock: "virtual" });
    const { host } = openSim({ ...CONFIG, latencyMs: 250 }, "h", { machine });
    const before = (await host.snapshot({})).monotonicMs;
    expect((await host.snapshot({})).monotonicMs - before).toBe(250);
  });
});

describe("faults", () => {
  const error = new StowageError("Cannot reach it", { code: "unavailable" });

  test("an error before the effect leaves nothing, after it the effect stays", async () => {
    for (const phase of ["before", "after"] as const) {
      const { engine } = await open([{ call: "engine.prepare", phase, effect: error }]);
      await expect(engine.prepare(podOf("web"))).rejects.toBe(error);
      expect((await engine.observe()).pods).toHaveLength(phase === "before" ? 0 : 1);
    }
  });

  test("the nth fitting call is hit, and no other", async () => {
    const { host } = await open([
      { call: "host.writeFile", nth: 2, phase: "before", effect: error },
    ]);
    await host.writeFile("/srv/1", "");
    await host.createFile("/srv/other", "");
    await expect(host.writeFile("/srv/2", "")).rejects.toBe(error);
    await host.writeFile("/srv/3", "");
    const { entries } = await host.snapshot({ list: ["/srv"] });
    expect(entries.get("/srv")).toEqual(["1", "3", "other"]);
  });

  test("a call that hangs ends with the signal's reason", async () => {
    const { engine } = await open([{ access: "read", phase: "before", effect: "hang" }]);
    const stop = new AbortController();
    const observing = engine.observe({ signal: stop.signal });
    setTimeout(() => stop.abort("enough"), 10);
    await expect(observing).rejects.toBe("enough");
  });

  test("a killed handle is dead for good, and the machine lives on", async () => {
    const { engine, host, machine } = await open([
      { call: "engine.start", phase: "before", effect: "kill" },
    ]);
    const pod = podOf("web");
    await engine.prepare(pod);
    await expect(engine.start(pod)).rejects.toMatchObject({ name: "SimKilled" });
    await expect(engine.observe()).rejects.toMatchObject({ name: "SimKilled" });
    await expect(host.snapshot({})).rejects.toMatchObject({ name: "SimKilled" });
    const again = openSim(CONFIG, "h", { machine }).engine;
    expect((await again.observe()).pods).toMatchObject([{ state: "prepared" }]);
  });

  test.each([
    { call: "engine.prepare", state: "incomplete" },
    { call: "engine.start", state: "prepared" },
    { call: "engine.remove", state: "incomplete" },
  ])(
    "$call cut short inside leaves the pod $state, and remove takes it away",
    async ({ call, state }) => {
      const { engine, machine } = await open([{ call, phase: "during", effect: "kill" }]);
      const pod = podOf("web", {
        containers: { a: { image: IMAGE.reference }, b: { image: IMAGE.reference } },
      });
      const all = async (): Promise<void> => {
        await engine.prepare(pod);
        await engine.start(pod);
        await engine.remove(pod.identity);
      };
      await expect(all()).rejects.toMatchObject({ name: "SimKilled" });
      const again = openSim(CONFIG, "h", { machine }).engine;
      expect((await again.observe()).pods).toMatchObject([{ state }]);
      await again.remove(pod.identity);
      expect((await again.observe()).pods).toEqual([]);
    },
  );

  test("an import cut short is a leftover that can be removed, or done again", async () => {
    const machine = new SimMachine();
    const faults = [{ call: "engine.importImage", phase: "during", effect: "kill" }] as const;
    const { engine } = openSim(CONFIG, "h", { machine, faults });
    await expect(engine.importImage(IMAGE, FLEET)).rejects.toMatchObject({ name: "SimKilled" });
    const again = openSim(CONFIG, "h", { machine }).engine;
    const { leftovers, images } = await again.observe();
    expect(leftovers).toHaveLength(1);
    expect(images).toEqual([]);
    await again.importImage(IMAGE, FLEET);
    expect(await again.observe()).toMatchObject({ leftovers: [], images: [{ fleets: ["o/f"] }] });
    await again.removeLeftover(leftovers[0]?.name ?? "");
    expect((await again.observe()).leftovers).toEqual([]);
  });

  test("a hook is asked before and after each call, with its numbers", async () => {
    const seen: string[] = [];
    const { host } = openSim(CONFIG, "h", {
      onCall: ({ name, nth, nthWrite }, phase) =>
        void seen.push(`${name} ${nth} ${nthWrite} ${phase}`),
    });
    await host.snapshot({});
    await host.writeFile("/srv/x", "");
    expect(seen).toEqual([
      "host.snapshot 1 0 before",
      "host.snapshot 1 0 after",
      "host.writeFile 1 1 before",
      "host.writeFile 1 1 after",
    ]);
  });
});

describe("what happens behind Stowage's back", () => {
  test("a killed container has the exit code, and start runs it again", async () => {
    const { engine, machine } = await open();
    const pod = podOf("web");
    await engine.prepare(pod);
    await engine.start(pod);
    await machine.kill(pod.identity, "main", 9);
    expect((await engine.observe()).pods).toMatchObject([
      { state: "exited", containers: { main: { exitCode: 9 } } },
    ]);
    await engine.start(pod);
    expect((await engine.observe()).pods).toMatchObject([{ state: "running" }]);
  });

  test("an altered field is reported as it is, one that was taken away as null", async () => {
    const { engine, machine } = await open();
    const resources = { memoryBytes: 64 * 1024 * 1024, pidsMax: 10 };
    const main = { image: IMAGE.reference, resources, env: { A: "1" } };
    const pod = podOf("web", { containers: { main } });
    await engine.prepare(pod);
    await machine.alter(pod.identity, "main", {
      spec: ({ env: _, ...spec }) => ({ ...spec, resources: { pidsMax: 99 } }),
      altered: "somebody was here",
    });
    const container = (await engine.observe()).pods[0]?.containers["main"];
    expect(container?.altered).toBe("somebody was here");
    expect(container?.reported).toEqual({
      image: IMAGE.reference,
      "resources.pidsMax": 99,
      "resources.memoryBytes": null,
      "env.A": null,
    });
  });

  test("a container that was taken away is missing, and its pod incomplete", async () => {
    const { engine, machine } = await open();
    const pod = podOf("web");
    await engine.prepare(pod);
    await machine.deleteContainer(pod.identity, "main");
    expect((await engine.observe()).pods).toMatchObject([
      { state: "incomplete", containers: { main: { state: "missing" } } },
    ]);
  });

  test("a paused container is said to be, and stop ends it", async () => {
    const { engine, machine } = await open();
    const pod = podOf("web");
    await engine.prepare(pod);
    await engine.start(pod);
    await machine.alter(pod.identity, "main", { state: "paused" });
    const state = async () => (await engine.observe()).pods[0]?.containers["main"]?.state;
    expect(await state()).toBe("paused");
    await engine.stop(pod.identity);
    expect(await state()).toBe("exited");
  });

  test("a reboot ends what ran, empties /run, and is seen by boot id and clock", async () => {
    const { engine, host, machine } = await open();
    const [plain, kept] = [podOf("plain"), podOf("kept", { restart: { policy: "always" } })];
    for (const pod of [plain, kept]) {
      await engine.prepare(pod);
      await engine.start(pod);
    }
    await host.writeFile("/run/stowage/lock/1.json", "{}");
    await machine.advance(5000);
    const before = await host.snapshot({});
    await machine.reboot();
    const after = await host.snapshot({ exist: ["/run/stowage/lock/1.json"] });
    expect(after.bootId).not.toBe(before.bootId);
    expect(after.monotonicMs).toBeLessThan(before.monotonicMs);
    expect([...after.existing]).toEqual([]);
    const states = (await engine.observe()).pods.map(({ pod, state }) => [pod, state]);
    expect(states).toEqual([
      ["plain", "exited"],
      ["kept", "running"],
    ]);
  });
});

describe("restart policies", () => {
  const script = (source: string, restart: PodSpec["restart"]): PodInstance => {
    const main = { image: IMAGE.reference, command: ["sh", "-c", source] };
    return podOf("job", { containers: { main }, ...(restart === undefined ? {} : { restart }) });
  };

  test.each<[PodSpec["restart"], string, number]>([
    [{ policy: "no" }, "echo run; exit 1", 1],
    [{ policy: "always" }, "echo run; exit 0", 6],
    [{ policy: "on-failure" }, "echo run; exit 1", 6],
    [{ policy: "on-failure" }, "echo run; exit 0", 1],
    [{ policy: "on-failure", maxRetries: 2 }, "echo run; exit 1", 3],
  ])("%j lets %j run as often as it says", async (restart, source, runs) => {
    const { engine, machine } = await open();
    const pod = script(source, restart);
    await engine.prepare(pod);
    await engine.start(pod);
    await machine.advance(5500);
    const lines = [];
    for await (const line of engine.logs(pod.identity, "main")) lines.push(line);
    expect(lines).toHaveLength(runs);
  });

  test("a pod that was stopped is not started again", async () => {
    const { engine, machine } = await open();
    const pod = script("echo run; sleep 1000", { policy: "always" });
    await engine.prepare(pod);
    await engine.start(pod);
    await engine.stop(pod.identity);
    await machine.advance(60_000);
    expect((await engine.observe()).pods).toMatchObject([{ state: "exited" }]);
  });
});

describe("ports of the host", () => {
  const web = (name: string) => podOf(name, { network: { mode: "host" }, ports: [{ host: 8080 }] });

  test("a running pod listens, is healthy, and can be made unhealthy", async () => {
    const { engine, host, machine } = await open();
    const pod = web("web");
    await engine.prepare(pod);
    expect(await host.probe({ port: 8080 }, 100)).toContain("refused");
    await engine.start(pod);
    expect(await host.probe({ port: 8080 }, 100)).toBeUndefined();
    await machine.setHealth(8080, "it says 503");
    expect(await host.probe({ port: 8080, http: { path: "/" } }, 100)).toBe("it says 503");
    await engine.stop(pod.identity);
    expect((await host.snapshot({ listening: true })).listening).toEqual([]);
  });

  test("the second on a port ends with 1 and says why", async () => {
    const { engine } = await open();
    for (const pod of [web("first"), web("second")]) {
      await engine.prepare(pod);
      await engine.start(pod);
    }
    const { pods } = await engine.observe();
    expect(pods.map(({ pod, state }) => [pod, state])).toEqual([
      ["first", "running"],
      ["second", "exited"],
    ]);
    expect(pods[1]?.containers["main"]?.exitCode).toBe(1);
  });

  test("holders are told by the socket's inode", async () => {
    const { engine, host, machine } = await open();
    await machine.listen(8080, { name: "nginx", pid: 77 });
    const pod = podOf("web", { network: { mode: "host" }, ports: [{ host: 53, protocol: "udp" }] });
    await engine.prepare(pod);
    await engine.start(pod);
    const { listening } = await host.snapshot({ listening: true });
    const holders = await host.holders(listening.map(({ inode }) => inode));
    const names = listening.map(({ port, protocol, inode }) => [
      port,
      protocol,
      holders.get(inode)?.name,
    ]);
    expect(names).toEqual([
      [8080, "tcp", "nginx"],
      [53, "udp", "app"],
    ]);
    expect([...(await host.holders([1])).keys()]).toEqual([]);
  });
});

describe("update", () => {
  test("a field that needs a new pod is refused", async () => {
    const { engine } = await open();
    const pod = podOf("web");
    await engine.prepare(pod);
    const next = podOf("web", { hostname: "other" });
    await expect(engine.update(next)).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("where pods run once, so is a restart field", async () => {
    const machine = new SimMachine();
    const { engine } = openSim({ ...CONFIG, runOnce: true }, "h", { machine });
    await engine.importImage(IMAGE, FLEET);
    await engine.prepare(podOf("web"));
    const main = { image: IMAGE.reference, oomScoreAdj: 5 };
    const updating = engine.update(podOf("web", { containers: { main } }));
    await expect(updating).rejects.toMatchObject({ code: "invalid_argument" });
  });
});
