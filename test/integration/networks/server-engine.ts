import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Engine, PodInstance } from "../../../src/engine/index.ts";
import { type ObservedPod, objectName, type PodIdentity } from "../../../src/model/index.ts";

interface ServedPod {
  readonly pod: PodInstance;
  process?: ChildProcess;
}

/** As much of an engine as networks need: a pod's process is a little server in the pod's namespace. */
export class ServerEngine {
  readonly pods = new Map<string, ServedPod>();

  /** The port, of which nothing else is called. */
  asEngine(): Engine {
    return this as unknown as Engine;
  }

  async prepare(pod: PodInstance): Promise<void> {
    const name = objectName(pod.identity);
    if (!this.pods.has(name)) this.pods.set(name, { pod });
  }

  async start({ identity, network }: PodInstance): Promise<void> {
    const found = this.pods.get(objectName(identity));
    if (found === undefined) throw new Error("There is no such pod");
    if (found.process !== undefined) return;
    found.process = serve(network?.namespace ?? "", identity.pod);
    await once(found.process.stdout as NonNullable<ChildProcess["stdout"]>, "data");
  }

  async stop(identity: PodIdentity): Promise<void> {
    const found = this.pods.get(objectName(identity));
    if (found?.process === undefined) return;
    const ended = once(found.process, "exit");
    found.process.kill("SIGKILL");
    await ended;
    delete found.process;
  }

  async remove(identity: PodIdentity): Promise<void> {
    await this.stop(identity);
    this.pods.delete(objectName(identity));
  }

  async removeLeftover(): Promise<void> {}

  async observe() {
    const pods = [...this.pods.values()].map(({ pod, process }): ObservedPod => {
      const state = process === undefined ? "exited" : "running";
      const pid = process?.pid === undefined ? {} : { pid: process.pid };
      const main = { id: "", state, ...pid, image: { reference: "" }, reported: {} } as const;
      return { ...pod.identity, state, containers: { main }, reported: {} };
    });
    return { pods, images: [], leftovers: [] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pod } of this.pods.values()) await this.stop(pod.identity);
  }
}

/** A page, and an echo of datagrams, on port 8080. */
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
