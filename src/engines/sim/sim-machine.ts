import { once } from "node:events";
import { anySignal } from "../../internal/index.ts";
import {
  type ContainerSpec,
  objectName,
  type PodIdentity,
  type PodSpec,
} from "../../model/index.ts";
import { advanceClock, monotonicMs } from "./clock.ts";
import { engineView, viewHolding } from "./engine-view.ts";
import { FileStore } from "./file-store.ts";
import { findContainer, findPod } from "./find-pod.ts";
import { layFile, type NewFile } from "./machine-files.ts";
import { type MachineState, newMachineState, type SimListener } from "./machine-state.ts";
import { type MachineStore, MemoryStore } from "./machine-store.ts";
import type { Scripts } from "./process/run-process.ts";
import { rebootMachine } from "./reboot-machine.ts";
import { endContainer, nextEventMs, settle } from "./run-containers.ts";

/** How {@link SimMachine} lives. */
export interface SimMachineOptions {
  /** JSON file that holds it; in memory when absent. */
  readonly file?: string;
  /**
   * `virtual`: its clock stands still but for {@link SimMachine.advance}, and what waits for it moves
   * it on by itself, so that nothing takes real time.
   *
   * @defaultValue real
   */
  readonly clock?: "real" | "virtual";
}

/** What somebody changes on a container without Stowage. */
export interface ContainerAlteration {
  readonly spec?: (spec: ContainerSpec) => ContainerSpec;
  readonly state?: "paused" | "running";
  readonly altered?: string;
}

const BOOT_ID = "00000000-0000-4000-8000-";
const CALLS_KEPT = 100_000;
/** The longest time that a timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const FIRST_FOREIGN_PID = 100;

/** A simulated machine, seen from outside: what happens to it behind Stowage's back, and what was done to it. */
export class SimMachine {
  /** How many calls of each kind this object has seen. */
  readonly counters = { reads: 0, writes: 0 };
  /** Names of the calls that this object has seen, oldest first. */
  readonly calls: string[] = [];
  readonly #store: MachineStore;
  readonly #scripts: Scripts = new Map();
  readonly #changed = new EventTarget();

  constructor(options: SimMachineOptions = {}) {
    const clock = { offsetMs: 0, ...(options.clock === "virtual" ? { virtualMs: 0 } : {}) };
    const fresh = newMachineState(bootId(1), clock);
    this.#store =
      options.file === undefined ? new MemoryStore(fresh) : new FileStore(options.file, fresh);
  }

  /** Looks at the machine; what `look` gets must not be changed. */
  read<T>(look: (state: MachineState, nowMs: number) => T): T {
    const state = this.#store.read();
    const nowMs = monotonicMs(state);
    const happened = settle(state, nowMs, this.#scripts);
    // of a file everybody sees by themselves
    if (happened && this.#store.pollMs === undefined) this.#tell();
    return look(state, nowMs);
  }

  /** The reader is done: nothing of a file is kept. */
  forget(): void {
    this.#store.forget?.();
  }

  /** Changes the machine in one instant; an effect that throws must have changed nothing. */
  async write<T>(effect: (state: MachineState, nowMs: number) => T): Promise<T> {
    const result = await this.#store.write((state) => {
      const nowMs = monotonicMs(state);
      settle(state, nowMs, this.#scripts);
      const value = effect(state, nowMs);
      settle(state, monotonicMs(state), this.#scripts);
      return value;
    });
    this.#tell();
    return result;
  }

  /**
   * Waits until a moment, or until something may have happened on the machine before it.
   *
   * @param untilMs on the machine's clock; without one only what happens ends it
   */
  async wait(untilMs: number | undefined, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const state = this.#store.read();
    const nowMs = monotonicMs(state);
    if (settle(state, nowMs, this.#scripts)) return;
    const virtual = state.clock.virtualMs !== undefined;
    const nextMs = nextEventMs(state);
    const targetMs = Math.min(
      untilMs ?? Number.MAX_SAFE_INTEGER,
      nextMs ?? Number.MAX_SAFE_INTEGER,
    );
    const known = targetMs < Number.MAX_SAFE_INTEGER;
    if (virtual && known) return this.advance(Math.max(0, targetMs - nowMs));
    const waitMs = Math.min(targetMs - nowMs, this.#store.pollMs ?? TIMER_MAX_MS, TIMER_MAX_MS);
    await this.#sleep(waitMs, signal);
  }

  /** Waits until something may have happened on the machine; its clock is not moved on. */
  async changed(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const state = this.#store.read();
    const nowMs = monotonicMs(state);
    const virtual = state.clock.virtualMs !== undefined;
    const nextMs = (virtual ? undefined : nextEventMs(state)) ?? Number.MAX_SAFE_INTEGER;
    await this.#sleep(
      Math.min(nextMs - nowMs, this.#store.pollMs ?? TIMER_MAX_MS, TIMER_MAX_MS),
      signal,
    );
  }

  /** Lets time pass for a call. */
  async delay(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms === 0) return;
    if (this.read((state) => state.clock.virtualMs !== undefined)) return this.advance(ms);
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** Counts a call; for the ports' adapters. */
  count(name: string, access: "read" | "write"): void {
    this.counters[access === "read" ? "reads" : "writes"] += 1;
    if (this.calls.push(name) > CALLS_KEPT) this.calls.shift();
  }

  /** Moves its clock forward. */
  async advance(ms: number): Promise<void> {
    await this.write((state) => advanceClock(state, ms));
  }

  /** Ends a container's processes behind the engine's back. */
  async kill(pod: PodIdentity, container: string, exitCode = 137): Promise<void> {
    await this.write((state, nowMs) => {
      const found = findContainer(state, pod, container);
      if (found.state !== "exited")
        endContainer(state, findPod(state, pod), found, exitCode, nowMs);
    });
  }

  /** Changes a container behind the engine's back. */
  async alter(pod: PodIdentity, container: string, change: ContainerAlteration): Promise<void> {
    await this.write((state) => {
      const found = findContainer(state, pod, container);
      if (change.spec !== undefined) found.spec = change.spec(found.spec);
      if (change.state !== undefined) found.state = change.state;
      if (change.altered !== undefined) found.altered = change.altered;
    });
  }

  /** Changes what the engine holds of a pod itself, behind its back. */
  async alterPod(
    pod: PodIdentity,
    change: { readonly spec?: (spec: PodSpec) => PodSpec; readonly recordDigest?: string },
  ): Promise<void> {
    await this.write((state) => {
      const found = findPod(state, pod);
      if (change.spec !== undefined) found.spec = change.spec(found.spec);
      if (change.recordDigest !== undefined) found.recordDigest = change.recordDigest;
    });
  }

  /** Breaks what was made of a pod's network, as somebody with the host's own tools would. */
  async detach(pod: PodIdentity, detached: string): Promise<void> {
    await this.write((state) => {
      const found = findPod(state, pod);
      if (found.network !== undefined) found.network = { ...found.network, detached };
    });
  }

  /** Takes one container away, as somebody with the engine's own tools would. */
  async deleteContainer(pod: PodIdentity, container: string): Promise<void> {
    await this.write((state) => {
      findContainer(state, pod, container);
      delete findPod(state, pod).containers[container];
    });
  }

  /** Takes a whole generation away, as somebody with the engine's own tools would. */
  async deletePod(pod: PodIdentity): Promise<void> {
    await this.write((state) => {
      const key = objectName(pod);
      delete viewHolding(state, key).pods[key];
    });
  }

  /** Takes an engine off the machine with all that it holds, or only hides it while `why` says so. */
  async uninstall(store: string | undefined, why: string | undefined): Promise<void> {
    await this.write((state) => {
      const view = engineView(state, store, "write");
      if (why === undefined) delete view.uninstalled;
      else view.uninstalled = why;
    });
  }

  async deleteImage(name: string): Promise<void> {
    await this.write((state) => {
      delete state.images[name];
    });
  }

  /** Adds an image that Stowage did not make the record of. */
  async addForeignImage(name: string, digest: string): Promise<void> {
    await this.write((state) => {
      state.images[name] = {
        digest,
        blobs: [digest],
        sizeBytes: 0,
        defaults: {},
        ours: false,
        fleets: [],
      };
    });
  }

  /** Lets somebody else listen on a port. */
  async listen(
    port: number,
    holder: { readonly name: string; readonly pid?: number; readonly protocol?: "tcp" | "udp" },
  ): Promise<void> {
    const { name, pid = FIRST_FOREIGN_PID + port, protocol = "tcp" } = holder;
    const listener: SimListener = { port, protocol, pid, name };
    await this.write((state) => {
      state.listeners = [...state.listeners.filter((each) => each.port !== port), listener];
    });
  }

  async unlisten(port: number): Promise<void> {
    await this.write((state) => {
      state.listeners = state.listeners.filter((each) => each.port !== port);
    });
  }

  /**
   * Lets probes fail, or pass again.
   *
   * @param target a port; or a container, whose commands that the toy shell does not know then fail
   * @param reason why they fail; undefined: they pass
   */
  async setHealth(
    target: number | { readonly pod: PodIdentity; readonly container: string },
    reason: string | undefined,
  ): Promise<void> {
    const key =
      typeof target === "number" ? String(target) : objectName(target.pod, target.container);
    await this.write((state) => {
      if (reason === undefined) delete state.health[key];
      else state.health[key] = reason;
    });
  }

  /** Puts a file or a symbolic link there, or takes a file away. */
  async setFile(path: string, file: NewFile | undefined): Promise<void> {
    await this.write((state) => layFile(state, path, file));
  }

  /** Ends everything that runs, empties /run, and begins a new boot. */
  async reboot(): Promise<void> {
    await this.write((state, nowMs) => {
      const number = Number.parseInt(state.bootId.slice(BOOT_ID.length), 16);
      rebootMachine(state, nowMs, bootId(number + 1));
    });
  }

  #tell(): void {
    this.#changed.dispatchEvent(new Event("changed"));
  }

  async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const done = new AbortController();
    const timer = setTimeout(() => done.abort(), Math.max(0, Math.ceil(ms)));
    const stop = signal === undefined ? done.signal : anySignal([done.signal, signal]);
    try {
      await once(this.#changed, "changed", { signal: stop });
    } catch (error) {
      if (!done.signal.aborted || signal?.aborted === true) throw signal?.reason ?? error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function bootId(number: number): string {
  return `${BOOT_ID}${number.toString(16).padStart(12, "0")}`;
}
