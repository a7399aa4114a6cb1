import type { StowageError } from "../../errors/index.ts";

/** Moments of a call: before its effect, between the parts of one that has several, after it. */
export type CallPhase = "before" | "during" | "after";

/** A call of the engine or host port. */
export interface SimCall {
  /** `engine.prepare`, `host.writeFile`. */
  readonly name: string;
  readonly access: "read" | "write";
  /** How many calls of this name its handle had, this one included. */
  readonly nth: number;
  /** How many writing calls its handle had, this one included. */
  readonly nthWrite: number;
}

/** Something that goes wrong. */
export interface SimFault {
  /** Call that it hits, `engine.start`; any when absent. */
  readonly call?: string;
  /** Hits only writing or only reading calls. */
  readonly access?: "read" | "write";
  /** The nth call that fits, from 1; every one when absent. */
  readonly nth?: number;
  readonly phase: CallPhase;
  /**
   * An error to fail with; `hang`: waits until the signal is aborted; `kill`: the handle is dead from
   * then on, and the machine stays as it is.
   */
  readonly effect: StowageError | "hang" | "kill";
}

/** Asked at each moment of each call; what it throws is what the call fails with. */
export type CallHook = (call: SimCall, phase: CallPhase) => Promise<void> | void;

/** Counts calls and says which fault hits. */
export class FaultPlan {
  readonly #faults: readonly SimFault[];
  readonly #counts = new Map<SimFault, number>();
  readonly #numbers = new WeakMap<SimCall, Map<SimFault, number>>();

  constructor(faults: readonly SimFault[]) {
    this.#faults = faults;
  }

  /** What goes wrong at a moment of a call. */
  hit(call: SimCall, phase: CallPhase): SimFault["effect"] | undefined {
    return this.#faults.filter((fault) => this.#fits(fault, call, phase))[0]?.effect;
  }

  #fits(fault: SimFault, call: SimCall, phase: CallPhase): boolean {
    if (fault.call !== undefined && fault.call !== call.name) return false;
    if (fault.access !== undefined && fault.access !== call.access) return false;
    const number = this.#numberOf(fault, call);
    return phase === fault.phase && (fault.nth === undefined || fault.nth === number);
  }

  #numberOf(fault: SimFault, call: SimCall): number {
    const numbers = this.#numbers.get(call) ?? new Map<SimFault, number>();
    this.#numbers.set(call, numbers);
    const known = numbers.get(fault);
    if (known !== undefined) return known;
    const number = (this.#counts.get(fault) ?? 0) + 1;
    this.#counts.set(fault, number);
    numbers.set(fault, number);
    return number;
  }
}
