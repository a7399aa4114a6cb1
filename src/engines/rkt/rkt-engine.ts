import type {
  CallOptions,
  Engine,
  EngineRest,
  ExecOptions,
  ExecResult,
  ImageContent,
  ImageDefaults,
  ImageOwnership,
  InfoOptions,
  LogLine,
  LogOptions,
  ObserveOptions,
  PodInstance,
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
import { RKT_CAPABILITIES } from "./capabilities.ts";
import { parseVersion } from "./cli/parse-output.ts";
import type { RktContext } from "./context.ts";
import { readImage } from "./images/image-record.ts";
import { claimImage, releaseImage } from "./images/ownership.ts";
import { removeLeftover } from "./leftovers.ts";
import { readOutput } from "./logs.ts";
import { whyNotAsked } from "./no-program.ts";
import { observeEngine, observePodsOnly } from "./observe-engine.ts";
import { execCommand } from "./pods/exec-command.ts";
import { preparePod } from "./pods/prepare-pod.ts";
import { removePod } from "./pods/remove-pod.ts";
import { startPod } from "./pods/start-pod.ts";
import { stopPod } from "./pods/stop-pod.ts";
import { updatePod } from "./pods/update-pod.ts";

/** The port on rkt's command line; nothing of it runs between calls. */
export class RktEngine implements Engine {
  readonly kind = "rkt";
  readonly #context: RktContext;

  constructor(context: RktContext) {
    this.#context = context;
  }

  async info(options: InfoOptions = {}): Promise<EngineInfo> {
    const { signal } = options;
    signal?.throwIfAborted();
    const said = await this.#context.version.read(options).catch(async (error: unknown) => {
      throw await whyNotAsked(this.#context, error, signal);
    });
    const { version, os, architecture } = parseVersion(said);
    return { kind: this.kind, version, platform: { os, architecture } };
  }

  async capabilities({ signal }: CallOptions = {}): Promise<CapabilityTable> {
    signal?.throwIfAborted();
    return RKT_CAPABILITIES[this.#context.flavor];
  }

  async observe({ signal, podsOnly = false }: ObserveOptions = {}): Promise<ObservedEngine> {
    signal?.throwIfAborted();
    if (podsOnly) return await observePodsOnly(this.#context, signal);
    try {
      return await observeEngine(this.#context, signal);
    } catch (error) {
      throw await whyNotAsked(this.#context, error, signal);
    }
  }

  async *logs(
    identity: PodIdentity,
    container: string | undefined,
    options: LogOptions = {},
  ): AsyncGenerator<LogLine, void, undefined> {
    options.signal?.throwIfAborted();
    yield* readOutput(this.#context, identity, container, options);
  }

  /** rkt's own service has a call for events, which is not implemented in any version. */
  events(): undefined {
    return undefined;
  }

  async importImage(
    content: ImageContent,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const { importImage } = await import("./images/import-image.ts");
    await importImage(this.#context, content, ownership, signal);
  }

  async claimImage(
    image: AppliedImage,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const { images } = this.#context;
    await images.together(() => claimImage(this.#context, image, ownership, signal));
  }

  async releaseImage(
    name: string,
    ownership: ImageOwnership,
    { signal }: CallOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    const { images } = this.#context;
    await images.alone(() => releaseImage(this.#context, name, ownership, signal));
  }

  async imageDefaults(image: AppliedImage, { signal }: CallOptions = {}): Promise<ImageDefaults> {
    signal?.throwIfAborted();
    return (await readImage(this.#context, image, signal)).defaults;
  }

  async exportImage(
    image: AppliedImage,
    { signal }: CallOptions = {},
  ): Promise<(AsyncDisposable & { readonly content: ImageContent }) | undefined> {
    signal?.throwIfAborted();
    const { exportImage } = await import("./images/export-image.ts");
    return await exportImage(this.#context, image, signal);
  }

  async prepare(pod: PodInstance, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await this.#context.version.keep();
    await preparePod(this.#context, pod, signal);
  }

  async start(pod: PodInstance, options: StartOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await startPod(this.#context, pod, options);
  }

  async stop(identity: PodIdentity, options: StopOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await stopPod(this.#context, identity, options);
  }

  async update(pod: PodInstance, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await updatePod(this.#context, pod, signal);
  }

  async remove(identity: PodIdentity, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await removePod(this.#context, identity, signal);
  }

  async removeLeftover(name: string, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await removeLeftover(this.#context, name, signal);
  }

  /** Cgroups of ours went with the last container. */
  async vacate({ signal }: CallOptions = {}): Promise<readonly EngineRest[]> {
    signal?.throwIfAborted();
    const why = "other people's pods may be made from them; rkt image gc removes what is unused";
    return [{ what: `what rkt unpacked of images, in ${this.#context.layout.dir}`, why }];
  }

  async exec(
    identity: PodIdentity,
    container: string,
    command: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult> {
    options.signal?.throwIfAborted();
    return await execCommand(this.#context, { identity, container, command }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // there is no connection
  }
}
