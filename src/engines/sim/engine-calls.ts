import { StowageError } from "../../errors/index.ts";
import { engineView } from "./engine-view.ts";
import type { MachineState } from "./machine-state.ts";
import type { Part, SimCalls } from "./sim-calls.ts";
import type { SimMachine } from "./sim-machine.ts";

type Look<T> = (state: MachineState, nowMs: number) => T;

/** The calls of one engine of a machine: they see its own store. */
export class EngineCalls {
  readonly machine: SimMachine;
  readonly #calls: SimCalls;
  readonly #store: string | undefined;

  constructor(calls: SimCalls, store: string | undefined) {
    this.machine = calls.machine;
    this.#calls = calls;
    this.#store = store;
  }

  /** A call that only looks. */
  async read<T>(name: string, signal: AbortSignal | undefined, look: Look<T>): Promise<T> {
    return await this.#calls.read(name, signal, this.#seen(look, "read"));
  }

  /** A call that changes something. */
  async write<T>(
    name: string,
    signal: AbortSignal | undefined,
    body: (part: Part) => Promise<T>,
  ): Promise<T> {
    return await this.#calls.write(name, signal, (part) =>
      body((effect) => part(this.#seen(effect, "write"))),
    );
  }

  /** Looks without a call of its own. */
  look<T>(look: Look<T>): T {
    return this.machine.read(this.#seen(look, "read"));
  }

  close(): void {
    this.#calls.close("engine");
  }

  #seen<T>(look: Look<T>, access: "read" | "write"): Look<T> {
    return (state, nowMs) => {
      const view = engineView(state, this.#store, access);
      if (view.uninstalled !== undefined) {
        throw new StowageError(
          `Cannot use the engine of the simulated host: ${view.uninstalled}; install it`,
          { code: "not_found" },
        );
      }
      return look(view, nowMs);
    };
  }
}
