import type { EngineConfig } from "../model/index.ts";
import { compact } from "./compact.ts";
import type { Duration } from "./duration.ts";

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
   * Pods that the host can hold.
   *
   * @defaultValue - any number
   */
  readonly maxPods?: number;
  /**
   * Whether an exited pod is made anew by a start, as rkt's pods are.
   *
   * @defaultValue false
   */
  readonly runOnce?: boolean;
  /**
   * One of several engines of the same simulated host, by a name of your own.
   *
   * @defaultValue - its first one
   */
  readonly store?: string;
}

/** What runs the pods of a host: the one word by which a host changes its engine. */
export class Engine {
  readonly #config: EngineConfig;

  private constructor(config: EngineConfig) {
    this.#config = config;
  }

  /** containerd, over its socket. */
  static containerd(options: ContainerdOptions = {}): Engine {
    const { socket, namespace, runtime, snapshotter } = options;
    return new Engine(compact({ kind: "containerd", socket, namespace, runtime, snapshotter }));
  }

  /** A simulated host, for trying a declaration out and for tests. */
  static sim(options: SimOptions = {}): Engine {
    const { file, latency, maxPods, runOnce, store } = options;
    const latencyMs = latency?.toMilliseconds();
    return new Engine(compact({ kind: "sim", file, latencyMs, maxPods, runOnce, store }));
  }

  /** @internal */
  toConfig(): EngineConfig {
    return { ...this.#config };
  }
}
