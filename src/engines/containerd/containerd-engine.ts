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
  LogLine,
  LogOptions,
  ObserveOptions,
  PodInstance,
  StartOptions,
  StopOptions,
} from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { readLogs } from "../../host/index.ts";
import { abortable } from "../../internal/index.ts";
import type {
  AppliedImage,
  CapabilityTable,
  EngineInfo,
  ObservedEngine,
  PodIdentity,
} from "../../model/index.ts";
import { CONTAINERD_CAPABILITIES } from "./capabilities.ts";
import type { Daemon, LazyDaemon } from "./daemon.ts";
import { execCommand } from "./pods/exec-command.ts";
import { findGeneration } from "./pods/find-generation.ts";
import { claimImage, importForFleet, releaseImage } from "./pods/image-ownership.ts";
import { removeLeftover } from "./pods/leftovers.ts";
import { observeEngine } from "./pods/observe-engine.ts";
import { describePod, logDirectory, type PodContext } from "./pods/pod-context.ts";
import { preparePod } from "./pods/prepare-pod.ts";
import { removePod } from "./pods/remove-pod.ts";
import { pastObstacles } from "./pods/snapshot-obstacle.ts";
import { startPod } from "./pods/start-pod.ts";
import { stopPod } from "./pods/stop-pod.ts";
import { updatePod } from "./pods/update-pod.ts";

/** The port on containerd's own API; connects with its first call. */
export class ContainerdEngine implements Engine {
  readonly kind = "containerd";
  readonly #daemon: LazyDaemon;

  constructor(daemon: LazyDaemon) {
    this.#daemon = daemon;
  }

  async info({ signal }: CallOptions = {}): Promise<EngineInfo> {
    const { version, context } = await this.#open(signal);
    const platform = await context.facts.platform();
    return { kind: this.kind, version: version.replace(/^v/, ""), platform };
  }

  async capabilities({ signal }: CallOptions = {}): Promise<CapabilityTable> {
    signal?.throwIfAborted();
    return CONTAINERD_CAPABILITIES;
  }

  async observe(options: ObserveOptions = {}): Promise<ObservedEngine> {
    const { signal, only, statesOnly = false } = options;
    const { context } = await this.#open(signal);
    if (statesOnly && only !== undefined) {
      const pods = await context.fresh.see(only, signal);
      if (pods !== undefined) return { pods, images: [], leftovers: [] };
    }
    return await observeEngine(context, signal);
  }

  async *logs(
    identity: PodIdentity,
    container: string | undefined,
    options: LogOptions = {},
  ): AsyncGenerator<LogLine, void, undefined> {
    const { context } = await this.#open(options.signal);
    const found = await findGeneration(context, identity, options.signal);
    const names = [...found.keys()].filter((name) => (container ?? name) === name).sort();
    if (names.length === 0) {
      const what = container === undefined ? "" : `container "${container}" of `;
      throw new StowageError(
        `Cannot read output of ${what}${describePod(identity)}: it is not there`,
        {
          code: "not_found",
          context: { pod: identity.pod, container },
        },
      );
    }
    const sources = names.map((name) => ({
      container: name,
      directory: logDirectory(context.directories, found.get(name)?.id ?? ""),
    }));
    yield* readLogs(context.host, sources, options);
  }

  async *events({ signal }: CallOptions = {}): AsyncGenerator<EngineEvent, void, undefined> {
    const { context } = await this.#open(signal);
    const { engineEvents } = await import("./pods/engine-events.ts");
    yield* engineEvents(context, signal);
  }

  async importImage(
    content: ImageContent,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    const { context } = await this.#open(signal);
    const importing = () => importForFleet(context, content, ownership, signal);
    await pastObstacles(context.host, importing);
  }

  async claimImage(
    image: AppliedImage,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    const { context } = await this.#open(signal);
    await claimImage(context, image, ownership, signal);
  }

  async releaseImage(
    name: string,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    const { context } = await this.#open(signal);
    await releaseImage(context, name, ownership, signal);
  }

  async imageDefaults(image: AppliedImage, { signal }: CallOptions = {}): Promise<ImageDefaults> {
    const { context } = await this.#open(signal);
    return (await context.images.read(image, signal)).defaults;
  }

  async exportImage(
    image: AppliedImage,
    { signal }: CallOptions = {},
  ): Promise<ExportedImage | undefined> {
    const { context } = await this.#open(signal);
    const { exportImage } = await import("./images/export-image.ts");
    return await exportImage(context.client, image, signal);
  }

  async prepare(pod: PodInstance, { signal }: CallOptions = {}): Promise<void> {
    const { context } = await this.#open(signal);
    await pastObstacles(context.host, () => preparePod(context, pod, signal));
  }

  async start(pod: PodInstance, options: StartOptions = {}): Promise<void> {
    await startPod(await this.#openUntil(options.signal), pod, options);
  }

  async stop(identity: PodIdentity, options: StopOptions = {}): Promise<void> {
    await stopPod(await this.#openUntil(options.signal), identity, options);
  }

  async update(pod: PodInstance, { signal }: CallOptions = {}): Promise<void> {
    await updatePod(await this.#openUntil(signal), pod, signal);
  }

  async remove(identity: PodIdentity, { signal }: CallOptions = {}): Promise<void> {
    const { context } = await this.#open(signal);
    await removePod(context, identity, signal);
  }

  async removeLeftover(name: string, { signal }: CallOptions = {}): Promise<void> {
    const { context } = await this.#open(signal);
    await removeLeftover(context, name, signal);
  }

  async vacate({ signal }: CallOptions = {}): Promise<readonly EngineRest[]> {
    const { context } = await this.#open(signal);
    const { vacateNamespace } = await import("./pods/vacate-namespace.ts");
    return await vacateNamespace(context, signal);
  }

  async exec(
    identity: PodIdentity,
    container: string,
    command: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult> {
    const { context } = await this.#open(options.signal);
    return await execCommand(context, { identity, container, command }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.close();
  }

  /** For what changes a generation where it is: others may have it in another state a moment later. */
  async #openUntil(signal: AbortSignal | undefined): Promise<PodContext> {
    const { context } = await this.#open(signal);
    return { ...context, client: context.client.until(signal) };
  }

  async #open(signal: AbortSignal | undefined): Promise<Daemon> {
    signal?.throwIfAborted();
    return await abortable(this.#daemon.open(), signal);
  }
}
