import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import { FleetManifest, MANIFEST_VERSION } from "../../src/model/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import {
  type ApplyFleetRequest,
  type ApplyReport,
  applyFleet,
  planFleet,
} from "../../src/reconcile/index.ts";

/** A fleet of one host on a real containerd, in a namespace and in directories of its own. */
export class ContainerdFleet implements AsyncDisposable {
  readonly namespace = `stw-it-${randomBytes(4).toString("hex")}`;
  readonly folder = mkdtempSync(join(tmpdir(), "stw-it-"));
  readonly #address: string;
  readonly #references = new Set<string>();

  constructor(address: string) {
    this.#address = address;
  }

  /** Makes an image on disk; `bytes` of noise make its layer that large. */
  image(reference: string, bytes = 0): void {
    busyboxImage({
      out: join(this.folder, "layout"),
      reference,
      files: new Map([
        ["/name", { content: reference }],
        ["/noise", { content: randomBytes(bytes) }],
      ]),
    });
    this.#references.add(reference);
  }

  /** A manifest with these pods on the host. */
  manifest(pods: Readonly<Record<string, object>>, rest: object = {}): FleetManifest {
    const images = [...this.#references].map((reference) => [reference, { layout: "layout" }]);
    return FleetManifest.parse({
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      images: Object.fromEntries(images),
      hosts: { here: { ...this.host, pods } },
      ...rest,
    });
  }

  get host() {
    const { namespace, folder } = this;
    return {
      address: "local",
      engine: { kind: "containerd", socket: this.#address, namespace },
      stateDir: join(folder, "state"),
      runDir: join(folder, "run"),
    } as const;
  }

  /** Writes a manifest where a process of its own can read it. */
  write(name: string, manifest: FleetManifest): string {
    const path = join(this.folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(manifest));
    return path;
  }

  async plan(manifest: FleetManifest): Promise<Plan> {
    return (await planFleet({ ...this.#request(manifest), options: {} })).plan;
  }

  async apply(
    manifest: FleetManifest,
    change: Partial<Pick<ApplyFleetRequest, "lockTimeoutMs" | "appliedBy" | "onEvent">> = {},
  ): Promise<ApplyReport> {
    return await applyFleet({
      ...this.#request(manifest),
      options: {},
      confirm: async () => true,
      appliedBy: "test@desk",
      lockTimeoutMs: 10_000,
      allowRemovals: 1_000,
      onEvent: () => {},
      ...change,
    });
  }

  ctr(...args: readonly string[]): string {
    return execFileSync("ctr", ["-a", this.#address, "-n", this.namespace, ...args], {
      encoding: "utf8",
    });
  }

  /**
   * Everything that there is of the fleet, in the engine, in the kernel and on disk, with what differs
   * between two ways to one state (numbers of generations, hashes, process ids) taken out.
   */
  async traces(): Promise<Readonly<Record<string, readonly string[]>>> {
    const plain = (names: readonly string[]) => names.map(withoutGeneration).sort();
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
      containers: plain(containers),
      tasks: plain(tasks.slice(1).map((line) => line.replace(/\s+\d+\s+/, " "))),
      snapshots: plain(
        snapshots
          .map((line) => line.split(/\s+/)[0] ?? "")
          .filter((key) => key.startsWith("stw-") || key.startsWith("extract-")),
      ),
      images: plain(images),
      leases: plain(leases),
      ingests: ingests.slice(1),
      shims: plain(
        this.#processes()
          .filter((argv) => argv.includes("containerd-shim"))
          .map((argv) => /-id (\S+)/.exec(argv)?.[1] ?? argv),
      ),
      runc: existsSync(runc) ? plain(readdirSync(runc)) : [],
      mounts: plain(
        readFileSync("/proc/self/mounts", "utf8")
          .split("\n")
          .filter((line) => line.includes(this.folder) || line.includes(`/${this.namespace}/`))
          .map((line) => line.split(" ")[1] ?? ""),
      ),
      files: plain(
        this.#files(this.folder).filter(
          (path) => /^(?:state|run)\//.test(path) && !/^run\/lock\//.test(path),
        ),
      ),
    };
  }

  /** Ends and removes everything, whatever state it is in. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.apply(this.manifest({})).catch(() => undefined);
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
    await delay(50);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What `ctr` prints, asked beside others. */
  async #lines(...args: readonly string[]): Promise<readonly string[]> {
    const argv = ["-a", this.#address, "-n", this.namespace, ...args];
    const { stdout } = await promisify(execFile)("ctr", argv);
    return stdout.split("\n").filter((line) => line.trim() !== "");
  }

  #request(manifest: FleetManifest) {
    return {
      manifest,
      manifestDir: this.folder,
      connector: createConnector(),
      environment: process.env,
    };
  }

  /** Command lines of the processes that work for the namespace or in the folder. */
  #processes(): readonly string[] {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return argv.includes(this.namespace) || argv.includes(this.folder) ? [argv] : [];
      } catch {
        return [];
      }
    });
  }

  #files(folder: string): readonly string[] {
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      const inside = statSync(path).isDirectory() ? this.#files(path) : [];
      return [relative(this.folder, path), ...inside];
    });
  }
}

/** `stw-web-main-3-abc…` without the number of its generation and its hash. */
function withoutGeneration(name: string): string {
  return name.replaceAll(/(stw-[a-z0-9-]*?)-\d+-[a-z2-7]{26}/g, "$1");
}
