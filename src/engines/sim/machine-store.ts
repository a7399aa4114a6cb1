import type { MachineState } from "./machine-state.ts";

/** Keeps a machine's state. */
export interface MachineStore {
  /** The state as it is now; what is changed in it is not kept for certain. */
  read(): MachineState;
  /** Changes the state; an effect that throws must have changed nothing. */
  write<T>(effect: (state: MachineState) => T): Promise<T>;
  /** Lets go of what is kept for the next look only; absent where nothing is. */
  forget?(): void;
  /** How often to look for changes made by other processes; absent where there are none. */
  readonly pollMs?: number;
}

/** A machine that lives as long as this process. */
export class MemoryStore implements MachineStore {
  readonly #state: MachineState;

  constructor(state: MachineState) {
    this.#state = state;
  }

  read(): MachineState {
    return this.#state;
  }

  async write<T>(effect: (state: MachineState) => T): Promise<T> {
    return effect(this.#state);
  }
}
