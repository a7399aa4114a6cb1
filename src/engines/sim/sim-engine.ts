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
import {
  type AppliedImage,
  type CapabilityTable,
  type EngineInfo,
  type ObservedEngine,
  objectName,
  type PodIdentity,
} from "../../model/index.ts";
import type { EngineCalls } from "./engine-calls.ts";
import { execCommand } from "./exec-command.ts";
import { exportImage } from "./export-image.ts";
import { claimImage, defaultsOf, importImage, releaseImage } from "./image-store.ts";
import { machineEvents } from "./machine-events.ts";
import type { MachineState } from "./machine-state.ts";
import { detachFromNetwork, takenNetwork } from "./networks.ts";
import { observeMachine } from "./observe-machine.ts";
import { preparePod } from "./prepare-pod.ts";
import { readLogs } from "./read-logs.ts";
import { simCapabilities } from "./sim-capabilities.ts";
import { startPod } from "./start-pod.ts";
import { stopPod } from "./stop-pod.ts";
import { updatePod } from "./update-pod.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** It takes the images that this machine would run. */
const INFO: EngineInfo = {
  kind: "sim",
  version: "1.0.0",
  platform: { os: "linux", architecture: ARCHITECTURES[process.arch] ?? process.arch },
};

/** What {@link SimEngine} is made of. */
export interface SimEngineOptions {
  readonly maxPods: number | undefined;
  readonly runOnce: boolean;
}

/** The engine of a simulated machine. */
export class SimEngine implements Engine {
  readonly kind = "sim";
  readonly #calls: EngineCalls;
  readonly #options: SimEngineOptions;

  constructor(calls: EngineCalls, options: SimEngineOptions) {
    this.#calls = calls;
    this.#options = options;
  }

  info(options: CallOptions = {}): Promise<EngineInfo> {
    return this.#calls.read("engine.info", options.signal, () => INFO);
  }

  capabilities(options: CallOptions = {}): Promise<CapabilityTable> {
    const { runOnce } = this.#options;
    return this.#calls.read("engine.capabilities", options.signal, () => simCapabilities(runOnce));
  }

  observe(options: ObserveOptions = {}): Promise<ObservedEngine> {
    return this.#calls.read("engine.observe", options.signal, (state) => ({
      ...observeMachine(state),
      ...(options.network === true ? { network: takenNetwork(state) } : {}),
    }));
  }

  logs(
    identity: PodIdentity,
    container: string | undefined,
    options: LogOptions = {},
  ): AsyncIterable<LogLine> {
    return readLogs(this.#calls, identity, container, options);
  }

  /** Where a pod runs once, nothing is told either, as of the engines that are like that. */
  events(options: CallOptions = {}): AsyncIterable<EngineEvent> | undefined {
    return this.#options.runOnce ? undefined : machineEvents(this.#calls, options.signal);
  }

  importImage(
    content: ImageContent,
    ownership: ImageOwnership,
    options: CallOptions = {},
  ): Promise<void> {
    return this.#calls.write("engine.importImage", options.signal, (part) =>
      importImage(part, content, ownership, options),
    );
  }

  claimImage(
    image: AppliedImage,
    ownership: ImageOwnership,
    options: CallOptions = {},
  ): Promise<void> {
    return this.#change("engine.claimImage", options, (state) =>
      claimImage(state, image, ownership),
    );
  }

  releaseImage(name: string, ownership: ImageOwnership, options: CallOptions = {}): Promise<void> {
    return this.#change("engine.releaseImage", options, (state) =>
      releaseImage(state, name, ownership),
    );
  }

  imageDefaults(image: AppliedImage, options: CallOptions = {}): Promise<ImageDefaults> {
    return this.#calls.read("engine.imageDefaults", options.signal, (state) =>
      defaultsOf(state, image),
    );
  }

  exportImage(image: AppliedImage, options: CallOptions = {}): Promise<ExportedImage | undefined> {
    return this.#calls.read("engine.exportImage", options.signal, (state) =>
      exportImage(state, image),
    );
  }

  prepare(pod: PodInstance, options: CallOptions = {}): Promise<void> {
    return this.#calls.write("engine.prepare", options.signal, (part) =>
      preparePod(part, pod, this.#options),
    );
  }

  start(pod: PodInstance, options: StartOptions = {}): Promise<void> {
    return this.#calls.write("engine.start", options.signal, (part) =>
      startPod(part, pod, this.#options.runOnce, options),
    );
  }

  stop(identity: PodIdentity, options: StopOptions = {}): Promise<void> {
    return this.#calls.write("engine.stop", options.signal, (part) =>
      stopPod(part, this.#calls, identity, options),
    );
  }

  update(pod: PodInstance, options: CallOptions = {}): Promise<void> {
    const capabilities = simCapabilities(this.#options.runOnce);
    return this.#calls.write("engine.update", options.signal, (part) =>
      updatePod(part, pod, capabilities),
    );
  }

  remove(identity: PodIdentity, options: CallOptions = {}): Promise<void> {
    const key = objectName(identity);
    return this.#calls.write("engine.remove", options.signal, async (part) => {
      await part((state) => {
        const pod = state.pods[key];
        if (pod === undefined) return;
        pod.complete = false;
        for (const name of Object.keys(pod.containers)) delete pod.containers[name];
      });
      await part((state) => {
        const pod = state.pods[key];
        if (pod !== undefined) detachFromNetwork(state, pod);
        delete state.pods[key];
      });
    });
  }

  removeLeftover(name: string, options: CallOptions = {}): Promise<void> {
    return this.#change("engine.removeLeftover", options, (state) => {
      delete state.leftovers[name];
    });
  }

  /** A simulated engine has nothing else. */
  async vacate({ signal }: CallOptions = {}): Promise<readonly EngineRest[]> {
    signal?.throwIfAborted();
    return [];
  }

  exec(
    identity: PodIdentity,
    container: string,
    command: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult> {
    const { timeoutMs, streams, signal } = options;
    return this.#calls.write("engine.exec", signal, async (part) => {
      const request = { identity, container, command, timeoutMs, streams, signal };
      return { exitCode: await execCommand(part, this.#calls.machine, request) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#calls.close();
  }

  #change(
    name: string,
    options: CallOptions,
    effect: (state: MachineState) => void,
  ): Promise<void> {
    return this.#calls.write(name, options.signal, (part) => part(effect));
  }
}
