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
} from "../../engine/index.ts";
import type {
  AppliedImage,
  CapabilityTable,
  EngineInfo,
  ObservedEngine,
  PodIdentity,
} from "../../model/index.ts";
import { podmanCapabilities } from "./capabilities.ts";
import type { PodmanContext } from "./context.ts";
import { readInfo } from "./engine-info.ts";
import { claimImage, importForFleet, releaseImage } from "./images/image-ownership.ts";
import { readLogs } from "./logs/read-logs.ts";
import { whyNotAsked } from "./no-program.ts";
import { execCommand } from "./pods/exec-command.ts";
import { removeLeftover } from "./pods/leftovers.ts";
import { observeEngine, observeSome } from "./pods/observe-engine.ts";
import { preparePod } from "./pods/prepare-pod.ts";
import { removePod } from "./pods/remove-pod.ts";
import { startPod } from "./pods/start-pod.ts";
import { stopPod } from "./pods/stop-pod.ts";
import { updatePod } from "./pods/update-pod.ts";

/** The port on podman's command line; there is no daemon, and nothing is held between calls. */
export class PodmanEngine implements Engine {
  readonly kind = "podman";
  readonly #open: () => Promise<PodmanContext>;

  /** @param open gives the context; asked once a call, and free to keep it */
  constructor(open: () => Promise<PodmanContext>) {
    this.#open = open;
  }

  async info(options: InfoOptions = {}): Promise<EngineInfo> {
    const context = await this.#context(options.signal);
    return await readInfo(context, options).catch(async (error: unknown) => {
      throw await whyNotAsked(context, error, options.signal);
    });
  }

  async capabilities(options: CallOptions = {}): Promise<CapabilityTable> {
    const { version } = await this.info(options);
    const { facts } = await this.#context(options.signal);
    return podmanCapabilities(version, facts);
  }

  async observe(options: ObserveOptions = {}): Promise<ObservedEngine> {
    const { signal, only } = options;
    const context = await this.#context(signal);
    try {
      const few = only === undefined ? undefined : await observeSome(context, only, options);
      return few ?? (await observeEngine(context, signal));
    } catch (error) {
      throw await whyNotAsked(context, error, signal);
    }
  }

  async *logs(
    identity: PodIdentity,
    container: string | undefined,
    options: LogOptions = {},
  ): AsyncGenerator<LogLine, void, undefined> {
    yield* readLogs(await this.#context(options.signal), identity, container, options);
  }

  async *events({ signal }: CallOptions = {}): AsyncGenerator<EngineEvent, void, undefined> {
    const { engineEvents } = await import("./pods/engine-events.ts");
    yield* engineEvents(await this.#context(signal), signal);
  }

  async importImage(
    content: ImageContent,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    await importForFleet(await this.#context(signal), content, ownership, signal);
  }

  async claimImage(
    image: AppliedImage,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    await claimImage(await this.#context(signal), image, ownership, signal);
  }

  async releaseImage(
    name: string,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    await releaseImage(await this.#context(signal), name, ownership, signal);
  }

  async imageDefaults(image: AppliedImage, { signal }: CallOptions = {}): Promise<ImageDefaults> {
    return (await (await this.#context(signal)).images.read(image)).defaults;
  }

  /**
   * Bytes of an image that podman holds, without a registry.
   *
   * @returns undefined when podman does not hold it
   */
  async exportImage(
    image: AppliedImage,
    { signal }: CallOptions = {},
  ): Promise<ExportedImage | undefined> {
    const { exportImage } = await import("./images/export-image.ts");
    return await exportImage(await this.#context(signal), image, signal);
  }

  async prepare(pod: PodInstance, options: PrepareOptions = {}): Promise<void> {
    const context = await this.#context(options.signal);
    await context.version.keep();
    await preparePod(context, pod, options);
  }

  async start(pod: PodInstance, options: StartOptions = {}): Promise<void> {
    await startPod(await this.#context(options.signal), pod, options);
  }

  async stop(identity: PodIdentity, options: StopOptions = {}): Promise<void> {
    await stopPod(await this.#context(options.signal), identity, options);
  }

  async update(pod: PodInstance, { signal }: CallOptions = {}): Promise<void> {
    await updatePod(await this.#context(signal), pod, signal);
  }

  async remove(identity: PodIdentity, { signal }: CallOptions = {}): Promise<void> {
    await removePod(await this.#context(signal), identity, signal);
  }

  async removeLeftover(name: string, { signal }: CallOptions = {}): Promise<void> {
    await removeLeftover(await this.#context(signal), name, signal);
  }

  /** Its notes lie in the state directory and go with that; in podman's own store is but what podman made for pods. */
  async vacate({ signal }: CallOptions = {}): Promise<readonly EngineRest[]> {
    const { removePauseImages } = await import("./images/pause-image.ts");
    return await removePauseImages(await this.#context(signal), signal);
  }

  async exec(
    identity: PodIdentity,
    container: string,
    command: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult> {
    const context = await this.#context(options.signal);
    return await execCommand(context, { identity, container, command }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // nothing is held
  }

  async #context(signal: AbortSignal | undefined): Promise<PodmanContext> {
    signal?.throwIfAborted();
    return await this.#open();
  }
}
