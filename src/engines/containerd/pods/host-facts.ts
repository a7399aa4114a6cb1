import { Introspection } from "../../../gen/containerd/services/introspection/v1/introspection_pb.ts";
import type { HostReader } from "../../../host/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { boundingSetOf } from "../spec/capability-sets.ts";
import {
  type DaemonDirectories,
  findDaemonDirectories,
  stateOfMounts,
} from "./daemon-directories.ts";

/** The platform that a daemon runs containers of. */
export interface DaemonPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Where a daemon keeps what of images; what it does not tell is not there. */
export interface ImageDirectories {
  readonly content: string | undefined;
  readonly snapshots: string | undefined;
}

const CONTENT = "io.containerd.content.v1";
const SNAPSHOTTER = "io.containerd.snapshotter.v1";

const MOUNTS = "/proc/self/mountinfo";
const INIT_STATUS = "/proc/1/status";
const CPUS_ONLINE = "/sys/devices/system/cpu/online";

/** What does not change while a host is up; each is asked for once, when it is needed. */
export class HostFacts {
  readonly #client: ContainerdClient;
  readonly #host: HostReader;
  readonly #socketPath: string;
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor(client: ContainerdClient, host: HostReader, socketPath: string) {
    this.#client = client;
    this.#host = host;
    this.#socketPath = socketPath;
  }

  /** The platform that the daemon's runtime is for. */
  platform(): Promise<DaemonPlatform> {
    return this.#once("platform", async () => {
      const filters = ["type==io.containerd.runtime.v2"];
      const options = { doing: "ask containerd for its platform" };
      const { plugins } = await this.#client.unary(
        Introspection.method.plugins,
        { filters },
        options,
      );
      const platform = plugins.flatMap(({ platforms }) => platforms)[0];
      const {
        os = "linux",
        architecture = GO_NAMES[process.arch] ?? process.arch,
        variant = "",
      } = platform ?? {};
      return { os, architecture, ...(variant === "" ? {} : { variant }) };
    });
  }

  /** Directories of the content store and of a snapshotter, as far as the daemon tells. */
  imageDirectories(snapshotter: string): Promise<ImageDirectories> {
    return this.#once(`directories of ${snapshotter}`, async () => {
      const filters = [`type==${CONTENT}`, `type==${SNAPSHOTTER},id==${snapshotter}`];
      const options = { doing: "ask containerd where it keeps images" };
      const { plugins } = await this.#client.unary(
        Introspection.method.plugins,
        { filters },
        options,
      );
      const rootOf = (type: string): string | undefined =>
        plugins.find((plugin) => plugin.type === type)?.exports["root"];
      return { content: rootOf(CONTENT), snapshots: rootOf(SNAPSHOTTER) };
    });
  }

  /** Capabilities that a process of this host can have at most. */
  allCapabilities(): Promise<readonly string[]> {
    return this.#once("capabilities", async () => {
      const { files } = await this.#host.snapshot({ files: [INIT_STATUS] });
      const text = files.get(INIT_STATUS);
      return boundingSetOf(typeof text === "string" ? text : undefined);
    });
  }

  /** List of the CPUs that are on; undefined where the kernel does not say. */
  everyCpu(): Promise<string | undefined> {
    return this.#once("cpus", async () => {
      const { files } = await this.#host.snapshot({ files: [CPUS_ONLINE] });
      const text = files.get(CPUS_ONLINE);
      return typeof text === "string" ? text.trim() : undefined;
    });
  }

  /** The daemon's directories; undefined if not known. */
  daemonDirectories(): Promise<DaemonDirectories | undefined> {
    return this.#once("directories", () => findDaemonDirectories(this.#host, this.#socketPath));
  }

  /**
   * Where the daemon keeps the bundles of running tasks.
   *
   * @param ids tasks of this daemon: where their file systems are mounted tells it at once
   */
  stateDirectory(ids: readonly string[]): Promise<string | undefined> {
    return this.#once("state", async () => {
      const { files } = await this.#host.snapshot({ files: [MOUNTS] });
      const mounted = stateOfMounts(files.get(MOUNTS), new Set(ids));
      return mounted ?? (await this.daemonDirectories())?.state;
    });
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#asked.get(key);
    if (known !== undefined) return known as Promise<T>;
    const asking = ask();
    this.#asked.set(key, asking);
    asking.catch(() => this.#asked.delete(key));
    return asking;
  }
}

/** Node's names of processors where Go has others. */
const GO_NAMES: Readonly<Record<string, string>> = { x64: "amd64", ppc64: "ppc64le" };
