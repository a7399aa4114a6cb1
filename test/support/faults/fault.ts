/**
 * What can go wrong with a call: it fails and does nothing; it is done and its answer is an error; it
 * hangs until its deadline; its connection breaks while it is done; who does it is killed meanwhile.
 */
export type FaultKind = "error" | "lost" | "hang" | "reset" | "killed";

/** A fault of one call: the nth one of its name, counted from 1. */
export interface Fault {
  readonly call: string;
  readonly nth: number;
  readonly kind: FaultKind;
}

/** A call that was made, and what can go wrong with one of its sort. */
export interface RecordedCall {
  readonly name: string;
  readonly kinds: readonly FaultKind[];
}

/** Sees every call that leaves Stowage, and says which one is to go wrong. */
export class FaultPoint {
  #fault: Fault | undefined;
  #counts = new Map<string, number>();
  #calls: RecordedCall[] = [];
  #struck = false;

  /** Begins to count anew; without a fault all calls go well. */
  arm(fault?: Fault): void {
    this.#fault = fault;
    this.#counts = new Map();
    this.#calls = [];
    this.#struck = false;
  }

  /** Calls since then, in order. */
  get calls(): readonly RecordedCall[] {
    return this.#calls;
  }

  /** Whether the call that was to go wrong was made. */
  get struck(): boolean {
    return this.#struck;
  }

  /** Told of a call before it is made. @returns what is to go wrong with it */
  meet(name: string, kinds: readonly FaultKind[]): FaultKind | undefined {
    const nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    this.#calls.push({ name, kinds });
    if (this.#fault?.call !== name || this.#fault.nth !== nth) return undefined;
    this.#struck = true;
    return this.#fault.kind;
  }
}

/**
 * Every fault of recordings: each kind that a call can have, once for each name. What calls of a name have in common
 * is what they do; where they stand alternates: the first of its recording and the last, in one and the other.
 *
 * @returns by recording
 */
export function faultsOf(recordings: readonly (readonly RecordedCall[])[]): readonly Fault[][] {
  const faults: Fault[][] = recordings.map(() => []);
  const calls = new Map(recordings.flat().map(({ name, kinds }) => [name, kinds]));
  let turn = 0;
  for (const [call, kinds] of calls) {
    const counts = recordings.map((each) => each.filter(({ name }) => name === call).length);
    const having = recordings.flatMap((_, index) => (counts[index] === 0 ? [] : [index]));
    for (const [index, kind] of kinds.entries()) {
      const at = having[(turn + index) % having.length] as number;
      const nth = index % 2 === 0 ? 1 : (counts[at] as number);
      faults[at]?.push({ call, nth, kind });
    }
    turn += 1;
  }
  return faults;
}
