import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, PodInstance } from "../../../src/engine/index.ts";
import { type Host, openLocalHost } from "../../../src/host/index.ts";
import { type ObservedPod, objectName, type PodSpec } from "../../../src/model/index.ts";
import type { withNetworks } from "../../../src/network/index.ts";
import { NetworkPlaces } from "../../../src/network/places.ts";
import { mountsNaming } from "../../support/engines/look-around.ts";
import { NetworkMachine } from "../../support/network-machine.ts";
import { ServerEngine } from "./server-engine.ts";

/** Programs that scripts of networks run. */
const PROGRAMS = [
  "ip",
  "iptables-restore",
  "mount",
  "mountpoint",
  "nsenter",
  "rm",
  "truncate",
  "umount",
  "unshare",
];

/** A machine, an engine on it and its networks. */
export class NetworkWorld implements AsyncDisposable {
  readonly machine = new NetworkMachine();
  readonly folder = mkdtempSync(join(tmpdir(), "stw-networks-"));
  readonly inner = new ServerEngine();
  readonly places = new NetworkPlaces(this.folder);
  readonly #shims = mkdtempSync(join(tmpdir(), "stw-shims-"));

  /** The engine with its networks. @param name what tells it from others of the machine */
  engine(make: typeof withNetworks, name = "one", inner = this.inner): Engine {
    const host = this.#counting(this.machine.host(openLocalHost()));
    const stateDir = join(this.folder, "state");
    return make(inner.asEngine(), { host, runDir: this.folder, stateDir, engine: name });
  }

  pod(name: string, spec: Partial<PodSpec> = {}, generation = 1): PodInstance {
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

  bridge({ identity, spec }: PodInstance): string {
    return this.places.bridge(identity, spec);
  }

  namespace(pod: PodInstance): string {
    return this.places.namespace(this.bridge(pod), objectName(pod.identity));
  }

  link(pod: PodInstance): string {
    return this.places.link(objectName(pod.identity));
  }

  async seen(engine: Engine, pod: PodInstance): Promise<ObservedPod | undefined> {
    const { pods } = await engine.observe({ network: true });
    return pods.find((each) => objectName(each) === objectName(pod.identity));
  }

  /** Has the shell that runs the nth program from now on killed, before that program or after it. */
  killAt(nth: number, phase: "before" | "after"): void {
    for (const program of PROGRAMS) {
      const path = execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();
      const run = phase === "before" ? "" : `${path} "$@" <&0\n`;
      const shim = `#!/bin/sh
# what is run by no script of ours is none of its programs
[ "$(cat /proc/$PPID/comm)" = sh ] || exec ${path} "$@"
n=$(($(cat ${this.#count}) + 1))
echo $n >${this.#count}
[ $n -eq ${nth} ] || exec ${path} "$@"
${run}kill -9 $PPID
`;
      writeFileSync(join(this.#shims, "bin", program), shim);
      chmodSync(join(this.#shims, "bin", program), 0o755);
    }
    writeFileSync(this.#count, "0");
  }

  /** How many programs were run since. */
  get count(): number {
    return Number(readFileSync(this.#count, "utf8"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner[Symbol.asyncDispose]();
    for (const path of mountsNaming(`${this.folder}/`)) execFileSync("umount", [path]);
    this.machine.close();
    for (const folder of [this.folder, this.#shims])
      rmSync(folder, { recursive: true, force: true });
  }

  get #count(): string {
    return join(this.#shims, "count");
  }

  #counting(host: Host): Host {
    mkdirSync(join(this.#shims, "bin"), { recursive: true });
    const env = { PATH: `${join(this.#shims, "bin")}:${process.env["PATH"]}` };
    return new Proxy(host, {
      get: (target, key) => {
        if (key !== "run") return Reflect.get(target, key) as unknown;
        const wrapped: Host["run"] = (command, options) =>
          target.run(command, { ...options, env: { ...options?.env, ...env } });
        return wrapped;
      },
    });
  }
}
