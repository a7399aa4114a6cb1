import { SimMachine, type SimMachineOptions } from "./sim-machine.ts";

/** The simulated machines of one program: who opens a host of one name twice gets one machine. */
export class SimWorld {
  readonly #machines = new Map<string, SimMachine>();
  readonly #clock: SimMachineOptions["clock"];

  /** @param options the clock of machines that are made here */
  constructor(options: Pick<SimMachineOptions, "clock"> = {}) {
    this.#clock = options.clock;
  }

  /** The machine of a name, made when it is asked for first. */
  machine(name: string, file?: string): SimMachine {
    const key = file ?? name;
    const known = this.#machines.get(key);
    if (known !== undefined) return known;
    const machine = new SimMachine({
      ...(file === undefined ? {} : { file }),
      ...(this.#clock === undefined ? {} : { clock: this.#clock }),
    });
    this.#machines.set(key, machine);
    return machine;
  }
}
