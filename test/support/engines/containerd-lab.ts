import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { type EngineLab, plainNames, type Traces } from "./engine-lab.ts";
import { mountsNaming, processesNaming } from "./look-around.ts";

/** Where cgroups are, by their version; a container's is in every hierarchy of the first. */
const CGROUPS = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];

/** A containerd that tests share, in a namespace of its own. */
export class ContainerdLab implements EngineLab {
  readonly kind = "containerd";
  readonly namespace = `stw-it-${randomBytes(4).toString("hex")}`;
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  get config() {
    return { kind: this.kind, socket: this.#address, namespace: this.namespace } as const;
  }

  ctr(...args: readonly string[]): string {
    return execFileSync("ctr", ["-a", this.#address, "-n", this.namespace, ...args], {
      encoding: "utf8",
    });
  }

  async traces(): Promise<Traces> {
    const runc = `/run/containerd/runc/${this.namespace}`;
    const [containers, tasks, snapshots, images, leases, ingests] = await Promise.all([
      this.#lines("containers", "ls", "-q"),
      this.#lines("tasks", "ls"),
      this.#lines("snapshots", "ls"),
      this.#lines("images", "ls", "-q"),
      this.#lines("leases", "ls", "-q"),
      this.#lines("content", "active"),
    ]);
    return {
      containers: plainNames(containers),
      tasks: plainNames(tasks.slice(1).map((line) => line.replace(/\s+\d+\s+/, " "))),
      snapshots: plainNames(
        snapshots
          .map((line) => line.split(/\s+/)[0] ?? "")
          .filter((key) => key.startsWith("stw-") || key.startsWith("extract-")),
      ),
      images: plainNames(images),
      leases: plainNames(leases),
      ingests: ingests.slice(1),
      shims: plainNames(
        processesNaming(this.namespace)
          .filter((argv) => argv.includes("containerd-shim"))
          .map((argv) => /-id (\S+)/.exec(argv)?.[1] ?? argv),
      ),
      runc: existsSync(runc) ? plainNames(readdirSync(runc)) : [],
      mounts: plainNames(mountsNaming(`/${this.namespace}/`)),
      cgroups: plainNames(
        CGROUPS.map((root) => `${root}/${this.namespace}`)
          .filter((folder) => existsSync(folder))
          .flatMap((folder) => readdirSync(folder).filter((name) => name.startsWith("stw-"))),
      ),
    };
  }

  async close(): Promise<void> {
    for (const id of this.ctr("tasks", "ls", "-q").split("\n").filter(Boolean)) {
      try {
        this.ctr("tasks", "rm", "-f", id);
      } catch {
        // gone meanwhile
      }
    }
    for (const kind of ["containers", "snapshots", "images", "leases"] as const) {
      const listed = this.ctr(kind, "ls", ...(kind === "snapshots" ? [] : ["-q"])).split("\n");
      const names = listed
        .map((line) => line.split(/\s+/)[0] ?? "")
        .filter((name) => name !== "" && name !== "KEY");
      for (const name of names.reverse()) {
        try {
          this.ctr(kind, "rm", name);
        } catch {
          // one that another still needs goes with it
        }
      }
    }
  }

  /** What `ctr` prints, asked beside others. */
  async #lines(...args: readonly string[]): Promise<readonly string[]> {
    const argv = ["-a", this.#address, "-n", this.namespace, ...args];
    const { stdout } = await promisify(execFile)("ctr", argv);
    return stdout.split("\n").filter((line) => line.trim() !== "");
  }
}
