import type {
  CallOptions,
  Engine,
  EngineEvent,
  ExecOptions,
  ExecResult,
  ExportedImage,
  ImageContent,
  ImageOwnership,
  LogLine,
  LogOptions,
  ObserveOptions,
  PodInstance,
  PrepareOptions,
  StartOptions,
  StopOptions,
} from "../engine/index.ts";
import { StowageError } from "../errors/index.ts";
import type { Host } from "../host/index.ts";
import {
  type AppliedImage,
  type CapabilityTable,
  type EngineInfo,
  type EngineKind,
  type ObservedEngine,
  type ObservedPod,
  objectName,
  type PodIdentity,
} from "../model/index.ts";
import type { Networks } from "./networks.ts";
import { NetworkPlaces } from "./places.ts";

/** Where networks are made. */
export interface NetworkedOptions {
  /** The machine that the engine runs on. */
  readonly host: Host;
  readonly runDir: string;
  /** What tells the engine from others of the host. */
  readonly engine: string;
}

/**
 * An engine whose pods can be in networks of the fleet: the same ones on every engine, since none of them
 * makes any. Each only runs the containers of such a pod in the namespace that it is given.
 *
 * The life of a pod's network goes with the pod's: its namespace comes with `prepare` and goes with
 * `remove`; address, names and ports come with `start` and go with `stop`.
 */
export function withNetworks(engine: Engine, options: NetworkedOptions): Engine {
  return new NetworkedEngine(engine, options);
}

class NetworkedEngine implements Engine {
  readonly #engine: Engine;
  readonly #places: NetworkPlaces;
  readonly #options: NetworkedOptions;
  #networks: Promise<Networks> | undefined;

  constructor(engine: Engine, options: NetworkedOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#places = new NetworkPlaces(options.runDir);
  }

  get kind(): EngineKind {
    return this.#engine.kind;
  }

  info(options?: CallOptions): Promise<EngineInfo> {
    return this.#engine.info(options);
  }

  capabilities(options?: CallOptions): Promise<CapabilityTable> {
    return this.#engine.capabilities(options);
  }

  async observe(options: ObserveOptions = {}): Promise<ObservedEngine> {
    const observed = await this.#engine.observe(options);
    if (options.network !== true && !(await this.#isUsed(options))) return observed;
    const { observeNetworks } = await import("./observe.ts");
    return await observeNetworks(this.#parts(), observed, options);
  }

  logs(
    identity: PodIdentity,
    container: string | undefined,
    options?: LogOptions,
  ): AsyncIterable<LogLine> {
    return this.#engine.logs(identity, container, options);
  }

  events(options?: CallOptions): AsyncIterable<EngineEvent> | undefined {
    return this.#engine.events(options);
  }

  importImage(
    content: ImageContent,
    ownership: ImageOwnership,
    options?: CallOptions,
  ): Promise<void> {
    return this.#engine.importImage(content, ownership, options);
  }

  claimImage(image: AppliedImage, ownership: ImageOwnership, options?: CallOptions): Promise<void> {
    return this.#engine.claimImage(image, ownership, options);
  }

  releaseImage(name: string, ownership: ImageOwnership, options?: CallOptions): Promise<void> {
    return this.#engine.releaseImage(name, ownership, options);
  }

  exportImage(image: AppliedImage, options?: CallOptions): Promise<ExportedImage | undefined> {
    return this.#engine.exportImage(image, options);
  }

  async prepare(pod: PodInstance, options: PrepareOptions = {}): Promise<void> {
    if (!isNetworked(pod)) return await this.#engine.prepare(pod, options);
    options.signal?.throwIfAborted();
    const networks = await this.#open();
    await networks.hold(pod);
    try {
      await this.#engine.prepare({ ...pod, network: networks.networkOf(pod) }, options);
    } catch (error) {
      // after an abort nobody waits for this: the next pass finds what is left
      if (options.signal?.aborted !== true) await this.#dropUnlessThere(networks, pod);
      throw error;
    }
  }

  async start(pod: PodInstance, options: StartOptions = {}): Promise<void> {
    if (!isNetworked(pod)) return await this.#engine.start(pod, options);
    options.signal?.throwIfAborted();
    const networks = await this.#open();
    const network = networks.networkOf(pod);
    let namespace: "held" | number | undefined = "held";
    if (!(await networks.isHeld(pod))) {
      const found = await this.#find(pod.identity, options);
      // the engine says best that there is no such pod
      if (found === undefined) return await this.#engine.start({ ...pod, network }, options);
      namespace = pidIn(found);
    }
    await networks.attach(pod, namespace);
    await this.#engine.start({ ...pod, network }, options);
  }

  async stop(identity: PodIdentity, options?: StopOptions): Promise<void> {
    await this.#engine.stop(identity, options);
    if (await this.#isUsed({})) await (await this.#open()).detach(identity);
  }

  update(pod: PodInstance, options?: CallOptions): Promise<void> {
    return this.#engine.update(pod, options);
  }

  async remove(identity: PodIdentity, options?: CallOptions): Promise<void> {
    await this.#engine.remove(identity, options);
    // its processes are gone: nothing is in its network any more
    if (await this.#isUsed({})) await (await this.#open()).drop(objectName(identity));
  }

  async removeLeftover(name: string, options: CallOptions = {}): Promise<void> {
    await this.#engine.removeLeftover(name, options);
    if (!(await this.#isUsed(options))) return;
    const { observeNetworks } = await import("./observe.ts");
    const seen = await observeNetworks(this.#parts(), await this.#engine.observe(options), options);
    if (!seen.leftovers.some((each) => each.name === name)) return;
    const networks = await this.#open();
    await networks.drop(name);
    await networks.removeEmpty(name);
  }

  exec(
    identity: PodIdentity,
    container: string,
    command: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult> {
    return this.#engine.exec(identity, container, command, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
  }

  /** Whether the host has any network of ours: most have none, and pay one look. */
  async #isUsed({ signal }: CallOptions): Promise<boolean> {
    const { root } = this.#places;
    const { entries } = await this.#options.host.snapshot(
      { list: [root] },
      signal === undefined ? {} : { signal },
    );
    return (entries.get(root) ?? []).length > 0;
  }

  async #find(identity: PodIdentity, { signal }: CallOptions): Promise<ObservedPod | undefined> {
    const only = { podsOnly: true, only: [identity] };
    const { pods } = await this.#engine.observe(signal === undefined ? only : { ...only, signal });
    return pods.find((each) => objectName(each) === objectName(identity));
  }

  async #dropUnlessThere(networks: Networks, { identity }: PodInstance): Promise<void> {
    try {
      if ((await this.#find(identity, {})) === undefined) await networks.drop(objectName(identity));
    } catch (error) {
      // it is found as a leftover
      if (!StowageError.is(error)) throw error;
    }
  }

  #parts() {
    const { host, engine } = this.#options;
    return { host, engine, places: this.#places };
  }

  async #open(): Promise<Networks> {
    this.#networks ??= import("./networks.ts").then(
      ({ Networks: Loaded }) => new Loaded(this.#parts()),
    );
    return await this.#networks;
  }
}

function isNetworked({ spec }: PodInstance): boolean {
  return spec.network?.mode === "bridge";
}

/** A process of the pod that is in its namespace. */
function pidIn({ containers }: ObservedPod): number | undefined {
  return Object.values(containers).find(({ pid }) => pid !== undefined)?.pid;
}
