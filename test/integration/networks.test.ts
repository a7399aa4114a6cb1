import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Engine, PodInstance } from "../../src/engine/index.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { type ObservedPod, objectName, type PodSpec } from "../../src/model/index.ts";
import { withNetworks } from "../../src/network/index.ts";
import { NetworkMachine } from "../support/network-machine.ts";

/** An engine of which a pod's process is a little server in the pod's namespace. */
class ServerEngine {
  readonly pods = new Map<string, { readonly pod: PodInstance; process?: ChildProcess }>();

  async prepare(pod: PodInstance): Promise<void> {
    this.pods.set(objectName(pod.identity), { pod });
  }

  async start(pod: PodInstance): Promise<void> {
    const found = this.pods.get(objectName(pod.identity));
    if (found === undefined) throw new Error("not there");
    if (found.process !== undefined) return;
    found.process = serve(pod.network?.namespace ?? "", pod.identity.pod);
    await new Promise((resolve) => found.process?.stdout?.once("data", resolve));
  }

  async stop(identity: PodInstance["identity"]): Promise<void> {
    const found = this.pods.get(objectName(identity));
    if (found?.process === undefined) return;
    const ended = new Promise((resolve) => found.process?.once("exit", resolve));
    found.process.kill("SIGKILL");
    await ended;
    delete found.process;
  }

  async remove(identity: PodInstance["identity"]): Promise<void> {
    await this.stop(identity);
    this.pods.delete(objectName(identity));
  }

  async removeLeftover(): Promise<void> {}

  async observe() {
    const pods = [...this.pods.values()].map(
      ({ pod, process }): ObservedPod => ({
        ...pod.identity,
        state: process === undefined ? "exited" : "running",
        containers: {
          main: {
            id: "",
            state: process === undefined ? "exited" : "running",
            ...(process?.pid === undefined ? {} : { pid: process.pid }),
            image: { reference: "" },
            reported: {},
          },
        },
        reported: {},
      }),
    );
    return { pods, images: [], leftovers: [] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pod } of this.pods.values()) await this.stop(pod.identity);
  }
}

/** A page and an echo of datagrams on port 8080. */
function serve(namespace: string, name: string): ChildProcess {
  const source = `require("node:http").createServer((_, r) => r.end("page of ${name}")).listen(8080, () => {
  const s = require("node:dgram").createSocket("udp4");
  s.on("message", (m, from) => s.send(m + " of ${name}", from.port, from.address));
  s.bind(8080, () => console.log("ready"));
});`;
  return spawn("nsenter", [`--net=${namespace}`, process.execPath, "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

let machine: NetworkMachine;
let folder: string;
let inner: ServerEngine;
let engine: Engine;

beforeEach(() => {
  machine = new NetworkMachine();
  folder = mkdtempSync(join(tmpdir(), "stw-networks-"));
  inner = new ServerEngine();
  engine = open();
});

afterEach(async () => {
  for (const { pod } of [...inner.pods.values()]) await engine.remove(pod.identity);
  const left = machine.traces();
  await engine[Symbol.asyncDispose]();
  machine.close();
  rmSync(folder, { recursive: true });
  expect(left.filter((line) => line.includes("stw-"))).toEqual([]);
});

function open(name = "one"): Engine {
  const host = machine.host(openLocalHost());
  return withNetworks(inner as unknown as Engine, { host, runDir: folder, engine: name });
}

function pod(name: string, spec: Partial<PodSpec> = {}, generation = 1): PodInstance {
  return {
    identity: { owner: "me", fleet: "shop", host: "here", pod: name, generation },
    spec: {
      containers: { main: { image: "x" } },
      network: { mode: "bridge", name: "front", subnet: "10.20.30.0/24" },
      ...spec,
    },
    images: {},
    recordDigest: "",
    volumeDirs: {},
  };
}

async function run(instance: PodInstance): Promise<PodInstance> {
  await engine.prepare(instance);
  await engine.start(instance);
  return instance;
}

async function seen(instance: PodInstance): Promise<ObservedPod | undefined> {
  const { pods } = await engine.observe({ network: true });
  return pods.find((each) => objectName(each) === objectName(instance.identity));
}

test("a published port answers from the host, its loopback, other pods, the pod itself and from outside", async () => {
  const web = await run(
    pod("web", {
      ports: [
        { host: 18080, container: 8080 },
        { host: 18081, container: 8080, protocol: "udp" },
      ],
    }),
  );
  const other = await run(pod("other"));
  machine.sh("iptables -P FORWARD DROP");
  const namespaceOf = (each: PodInstance) =>
    inner.pods.get(objectName(each.identity))?.pod.network?.namespace;
  expect(await machine.page("http://127.0.0.1:18080/")).toBe("page of web");
  expect(await machine.datagram("127.0.0.1", 18081)).toBe("ping of web");
  expect(await machine.page("http://10.20.30.1:18080/", namespaceOf(other))).toBe("page of web");
  expect(await machine.page("http://10.20.30.1:18080/", namespaceOf(web))).toBe("page of web");
  const { file, gateway } = machine.neighbour();
  expect(await machine.page(`http://${gateway}:18080/`, file)).toBe("page of web");
  const { address } = (await seen(web)) ?? {};
  expect(await machine.page(`http://${address}:8080/`, namespaceOf(other))).toBe("page of web");
  // only what is published is offered to others
  expect(await machine.page(`http://${address}:8080/`, file)).toBeUndefined();
});
