import type { EngineConfig } from "../model/index.ts";
import { compact } from "./compact.ts";
import type { Duration } from "./duration.ts";
import { checkOptions, type OptionNames } from "./options.ts";

/** How to reach a containerd. */
export interface ContainerdOptions {
  /** @defaultValue /run/containerd/containerd.sock */
  readonly socket?: string;
  /** @defaultValue stowage */
  readonly namespace?: string;
  /**
   * Runtime that runs the processes.
   *
   * @defaultValue io.containerd.runc.v2
   */
  readonly runtime?: string;
  /** @defaultValue overlayfs */
  readonly snapshotter?: string;
}

/** How to use a podman. */
export interface PodmanOptions {
  /**
   * Absolute path of its program.
   *
   * @defaultValue - the podman on the host's PATH
   */
  readonly program?: string;
  /**
   * Directory of its containers and images.
   *
   * @defaultValue - podman's own choice
   */
  readonly root?: string;
  /**
   * Directory of what a reboot ends.
   *
   * @defaultValue - podman's own choice
   */
  readonly runRoot?: string;
  /**
   * Directory of its locks and events.
   *
   * @defaultValue - podman's own choice
   */
  readonly tmpDir?: string;
  /**
   * Directory of its networks.
   *
   * @defaultValue - podman's own choice
   */
  readonly networkConfigDir?: string;
  /**
   * Runtime that runs the processes, by name or path.
   *
   * @defaultValue - podman's own choice
   */
  readonly runtime?: string;
}

/** How to reach an rkt. */
export interface RktOptions {
  /**
   * The rkt program, as a name on PATH or an absolute path.
   *
   * @defaultValue rkt
   */
  readonly program?: string;
  /** @defaultValue /var/lib/rkt */
  readonly dir?: string;
  /** @defaultValue /etc/rkt */
  readonly localConfig?: string;
  /** @defaultValue /usr/lib/rkt */
  readonly systemConfig?: string;
  /**
   * Name and version of the installed stage1 image that isolates its pods.
   *
   * @defaultValue coreos.com/rkt/stage1-fly:1.30.0
   */
  readonly stage1?: string;
}

/** How a simulated host behaves. */
export interface SimOptions {
  /**
   * Absolute path of the file that holds the host between runs.
   *
   * @defaultValue - the host lives in memory
   */
  readonly file?: string;
  /**
   * Time that each call takes.
   *
   * @defaultValue - none
   */
  readonly latency?: Duration;
  /**
   * Most pods that the host can hold.
   *
   * @defaultValue - any number
   */
  readonly maxPods?: number;
  /**
   * Whether an exited pod is created again by a start, as rkt's pods are.
   *
   * @defaultValue false
   */
  readonly runOnce?: boolean;
  /**
   * Name of your choice, for several engines on the same simulated host.
   *
   * @defaultValue - its first one
   */
  readonly store?: string;
}

const CONTAINERD: OptionNames<ContainerdOptions> = {
  socket: true,
  namespace: true,
  runtime: true,
  snapshotter: true,
};
const PODMAN: OptionNames<PodmanOptions> = {
  program: true,
  root: true,
  runRoot: true,
  tmpDir: true,
  networkConfigDir: true,
  runtime: true,
};
const RKT: OptionNames<RktOptions> = {
  program: true,
  dir: true,
  localConfig: true,
  systemConfig: true,
  stage1: true,
};
const SIM: OptionNames<SimOptions> = {
  file: true,
  latency: true,
  maxPods: true,
  runOnce: true,
  store: true,
};

/** What runs the pods of a host: the one word by which a host changes its engine. */
export class Engine {
  readonly #config: EngineConfig;

  private constructor(config: EngineConfig) {
    this.#config = config;
  }

  /** containerd, over its socket. */
  static containerd(options: ContainerdOptions = {}): Engine {
    const { socket, namespace, runtime, snapshotter } = options;
    const engine = new Engine(
      compact({ kind: "containerd", socket, namespace, runtime, snapshotter }),
    );
    checkOptions(engine, options, CONTAINERD);
    return engine;
  }

  /** podman, by its command line. */
  static podman(options: PodmanOptions = {}): Engine {
    const { program, root, runRoot, tmpDir, networkConfigDir, runtime } = options;
    const engine = new Engine(
      compact({ kind: "podman", program, root, runRoot, tmpDir, networkConfigDir, runtime }),
    );
    checkOptions(engine, options, PODMAN);
    return engine;
  }

  /** rkt, by its command line. */
  static rkt(options: RktOptions = {}): Engine {
    const { program, dir, localConfig, systemConfig, stage1 } = options;
    const engine = new Engine(
      compact({ kind: "rkt", program, dir, localConfig, systemConfig, stage1 }),
    );
    checkOptions(engine, options, RKT);
    return engine;
  }

  /** A simulated host, for trying a declaration out and for tests. */
  static sim(options: SimOptions = {}): Engine {
    const { file, latency, maxPods, runOnce, store } = options;
    const latencyMs = latency?.toMilliseconds();
    const engine = new Engine(compact({ kind: "sim", file, latencyMs, maxPods, runOnce, store }));
    checkOptions(engine, options, SIM);
    return engine;
  }

  /** An engine as a manifest or an inventory has it. */
  static fromConfig(config: EngineConfig): Engine {
    return new Engine({ ...config });
  }

  /** @internal */
  toConfig(): EngineConfig {
    return { ...this.#config };
  }
}
