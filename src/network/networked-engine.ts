import type {
  CallOptions,
  Engine,
  EngineEvent,
  EngineRest,
  ExecOptions,
  ExecResult,
  ExportedImage,
  ImageContent,
  ImageDefaults,
  ImageOwnership,
  InfoOptions,
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
import type { CniNetworks } from "./cni/cni-networks.ts";
import { CniPlaces } from "./cni/cni-places.ts";
import type { Networks } from "./networks.ts";
import { NetworkPlaces } from "./places.ts";

/** Where networks are made. */
export interface NetworkedOptions {
  /** The machine that the engine runs on. */
  readonly host: Host;
  readonly runDir: string;
  readonly stateDir: string;
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

/** What is made of one kind of networks. */
type PodNetworks = Pick<Networks, "networkOf" | "hold" | "attach" | "isHeld" | "detach" | "drop">;

type Kind = "bridge" | "cni";

class NetworkedEngine implements Engine {
  readonly #engine: Engine;
  readonly #places: NetworkPlaces;
  readonly #cniPlaces: CniPlaces;
  readonly #options: NetworkedOptions;
  #networks: Promise<Networks> | undefined;
  #cniNetworks: Promise<CniNetworks> | undefined;

  constructor(engine: Engine, options: NetworkedOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#places = new NetworkPlaces(options.runDir);
    this.#cniPlaces = new CniPlaces(options);
  }

  get kind(): EngineKind {
    return this.#engine.kind;
  }

  info(options?: InfoOptions): Promise<EngineInfo> {
    return this.#engine.info(options);
  }

  capabilities(options?: CallOptions): Promise<CapabilityTable> {
    return this.#engine.capabilities(options);
  }

  async observe(options: ObserveOptions = {}): Promise<ObservedEngine> {
    const observed = await this.#engine.observe(options);
    return await this.#withNetworks(observed, options);
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

  imageDefaults(image: AppliedImage, options?: CallOptions): Promise<ImageDefaults> {
    return this.#engine.imageDefaults(image, options);
  }

  exportImage(image: AppliedImage, options?: CallOptions): Promise<ExportedImage | undefined> {
    return this.#engine.exportImage(image, options);
  }

  async prepare(pod: PodInstance, options: PrepareOptions = {}): Promise<void> {
    const networks = await this.#networksOf(pod);
    if (networks === undefined) return await this.#engine.prepare(pod, options);
    options.signal?.throwIfAborted();
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
    const networks = await this.#networksOf(pod);
    if (networks === undefined) return await this.#engine.start(pod, options);
    options.signal?.throwIfAborted();
    const network = networks.networkOf(pod);
    let namespace: "held" | number | undefined = "held";
    if (!(await networks.isHeld(pod))) {
      const found = await this.#find(pod.identity, options);
      // the engine says best that there is no such pod
      if (found === undefined) return await this.#engine.start({ ...pod, network }, options);
      namespace = pidIn(found);
    }
    await networks.attach(pod, namespace, options.aside === true);
    // its ports alone are wanted
    if (options.containers?.length === 0) return;
    await this.#engine.start({ ...pod, network }, options);
  }

  async stop(identity: PodIdentity, options?: StopOptions): Promise<void> {
    await this.#engine.stop(identity, options);
    for (const networks of await this.#used()) await networks.detach(identity);
  }

  update(pod: PodInstance, options?: CallOptions): Promise<void> {
    return this.#engine.update(pod, options);
  }

  async remove(identity: PodIdentity, options?: CallOptions): Promise<void> {
    await this.#engine.remove(identity, options);
    // its processes are gone: nothing is in its network any more
    for (const networks of await this.#used()) await networks.drop(objectName(identity));
  }

  async removeLeftover(name: string, options: CallOptions = {}): Promise<void> {
    await this.#engine.removeLeftover(name, options);
    const used = await this.#used();
    if (used.length === 0) return;
    const seen = await this.#withNetworks(await this.#engine.observe(options), options);
    if (!seen.leftovers.some((each) => each.name === name)) return;
    for (const networks of used) await networks.drop(name);
    await (await this.#openBridges()).removeEmpty(name);
  }

  vacate(options?: CallOptions): Promise<readonly EngineRest[]> {
    return this.#engine.vacate(options);
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

  /** Which kinds of networks the host has any of: most have none, and pay one look. */
  async #kinds({ signal }: CallOptions): Promise<ReadonlySet<Kind>> {
    const roots = { bridge: this.#places.root, cni: this.#cniPlaces.root };
    const { entries } = await this.#options.host.snapshot(
      { list: Object.values(roots) },
      signal === undefined ? {} : { signal },
    );
    return new Set(
      (["bridge", "cni"] as const).filter((kind) => (entries.get(roots[kind]) ?? []).length > 0),
    );
  }

  async #used(): Promise<readonly PodNetworks[]> {
    return await Promise.all([...(await this.#kinds({}))].map((kind) => this.#open(kind)));
  }

  async #networksOf({ spec }: PodInstance): Promise<PodNetworks | undefined> {
    const mode = spec.network?.mode;
    return mode === "bridge" || mode === "cni" ? await this.#open(mode) : undefined;
  }

  async #withNetworks(observed: ObservedEngine, options: ObserveOptions): Promise<ObservedEngine> {
    const kinds = await this.#kinds(options);
    let seen = observed;
    if (options.network === true || kinds.has("bridge")) {
      const { observeNetworks } = await import("./observe.ts");
      seen = await observeNetworks(this.#parts(), seen, options);
    }
    if (!kinds.has("cni") && options.cni === undefined) return seen;
    const { lookForCni, observeCni } = await import("./cni/observe-cni.ts");
    seen = await observeCni(this.#cniParts(), seen, options);
    if (options.cni === undefined || seen.network === undefined) return seen;
    const cni = await lookForCni(this.#cniParts(), options.cni);
    return { ...seen, network: { ...seen.network, cni } };
  }

  async #find(identity: PodIdentity, { signal }: CallOptions): Promise<ObservedPod | undefined> {
    const only = { podsOnly: true, only: [identity] };
    const { pods } = await this.#engine.observe(signal === undefined ? only : { ...only, signal });
    return pods.find((each) => objectName(each) === objectName(identity));
  }

  async #dropUnlessThere(networks: PodNetworks, { identity }: PodInstance): Promise<void> {
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

  #cniParts() {
    return { ...this.#parts(), places: this.#cniPlaces };
  }

  async #open(kind: Kind): Promise<PodNetworks> {
    if (kind === "bridge") return await this.#openBridges();
    this.#cniNetworks ??= import("./cni/cni-networks.ts").then(
      ({ CniNetworks: Loaded }) => new Loaded(this.#cniParts()),
    );
    return await this.#cniNetworks;
  }

  async #openBridges(): Promise<Networks> {
    this.#networks ??= import("./networks.ts").then(
      ({ Networks: Loaded }) => new Loaded(this.#parts()),
    );
    return await this.#networks;
  }
}

/** A process of the pod that is in its namespace. */
function pidIn({ containers }: ObservedPod): number | undefined {
  return Object.values(containers).find(({ pid }) => pid !== undefined)?.pid;
}
