import { StowageError } from "../errors/index.ts";

/** What was given to a command, its own and the global options alike. */
export class Arguments {
  readonly operands: readonly string[];
  readonly #values: ReadonlyMap<string, readonly (string | true)[]>;

  constructor(
    operands: readonly string[],
    values: ReadonlyMap<string, readonly (string | true)[]>,
  ) {
    this.operands = operands;
    this.#values = values;
  }

  /** Whether a switch was given. */
  flag(name: string): boolean {
    return this.#values.has(name);
  }

  /** Value of an option; the last one when it was given several times. */
  text(name: string): string | undefined {
    const value = this.#values.get(name)?.at(-1);
    return value === true ? undefined : value;
  }

  /** All values of an option; undefined when it was not given. */
  list(name: string): readonly string[] | undefined {
    return this.#values.get(name)?.filter((value) => value !== true);
  }

  /**
   * Value of an option that is a whole number.
   *
   * @throws StowageError `invalid_argument` when it is not, or below `min`
   */
  count(name: string, min = 0): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d{1,12}$/.test(text) && value >= min) return value;
    throw new StowageError(
      `Cannot use --${name} ${JSON.stringify(text)}: it is not a whole number of at least ${min}; write --${name} ${Math.max(min, 1)}`,
      { code: "invalid_argument" },
    );
  }

  /**
   * Value of an option that is a time span such as `30s`, `5m` or `500ms`; a bare number is seconds.
   *
   * @throws StowageError `invalid_argument` when it is none
   */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const match = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text);
    const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? "s"];
    if (match !== null && factor !== undefined) return Number(match[1]) * factor;
    throw new StowageError(
      `Cannot use --${name} ${JSON.stringify(text)}: it is not a time span; write --${name} 30s`,
      { code: "invalid_argument" },
    );
  }

  /** These arguments over others: what both have is taken from these. */
  over(others: Arguments): Arguments {
    return new Arguments(this.operands, new Map([...others.#values, ...this.#values]));
  }
}
