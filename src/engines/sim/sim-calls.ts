import { StowageError } from "../../errors/index.ts";
import { type CallHook, type CallPhase, FaultPlan, type SimCall, type SimFault } from "./faults.ts";
import type { MachineState } from "./machine-state.ts";
import { SimKilled } from "./sim-killed.ts";
import type { SimMachine } from "./sim-machine.ts";

/** Changes the machine in one instant; between two of a call it can be interrupted. */
export type Part = <T>(effect: (state: MachineState, nowMs: number) => T) => Promise<T>;

/** What every call of a handle goes through: latency, faults, hooks, counting. */
export class SimCalls {
  readonly machine: SimMachine;
  readonly #latencyMs: number;
  readonly #faults: FaultPlan;
  readonly #hook: CallHook | undefined;
  readonly #counts = new Map<string, number>();
  #writes = 0;
  #killed: SimKilled | undefined;
  readonly #closed = new Set<string>();

  constructor(
    machine: SimMachine,
    options: {
      readonly latencyMs: number;
      readonly faults: readonly SimFault[];
      readonly onCall: CallHook | undefined;
    },
  ) {
    this.machine = machine;
    this.#latencyMs = options.latencyMs;
    this.#faults = new FaultPlan(options.faults);
    this.#hook = options.onCall;
  }

  /** Runs a call that only looks. */
  read<T>(
    name: string,
    signal: AbortSignal | undefined,
    look: (state: MachineState, nowMs: number) => T,
  ): Promise<T> {
    return this.#run(name, "read", signal, async () => this.machine.read(look));
  }

  /** Runs a call that changes something. */
  write<T>(
    name: string,
    signal: AbortSignal | undefined,
    body: (part: Part) => Promise<T>,
  ): Promise<T> {
    return this.#run(name, "write", signal, (call) => {
      let parts = 0;
      return body(async (effect) => {
        if (parts > 0) await this.#gate(call, "during", signal);
        parts += 1;
        signal?.throwIfAborted();
        return this.machine.write(effect);
      });
    });
  }

  /** Fails every later call of one of the two ports. */
  close(port: "engine" | "host"): void {
    this.#closed.add(port);
  }

  async #run<T>(
    name: string,
    access: SimCall["access"],
    signal: AbortSignal | undefined,
    body: (call: SimCall) => Promise<T>,
  ): Promise<T> {
    this.#assertUsable(name);
    signal?.throwIfAborted();
    const nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    if (access === "write") this.#writes += 1;
    const call: SimCall = { name, access, nth, nthWrite: this.#writes };
    this.machine.count(name, access);
    await this.machine.delay(this.#latencyMs, signal);
    await this.#gate(call, "before", signal);
    const result = await body(call);
    await this.#gate(call, "after", signal);
    return result;
  }

  async #gate(call: SimCall, phase: CallPhase, signal: AbortSignal | undefined): Promise<void> {
    this.#assertUsable(call.name);
    await this.#hook?.(call, phase);
    const effect = this.#faults.hit(call, phase);
    if (effect === "hang") await aborted(signal);
    else if (effect === "kill") this.#killed = new SimKilled(call.name);
    else if (effect !== undefined) throw effect;
    this.#assertUsable(call.name);
  }

  #assertUsable(name: string): void {
    if (this.#killed !== undefined) throw this.#killed;
    if (!this.#closed.has(name.slice(0, name.indexOf(".")))) return;
    throw new StowageError(
      `Cannot call "${name}" of the simulated host: it was closed; open it again`,
      {
        code: "failed_precondition",
      },
    );
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted === true) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
