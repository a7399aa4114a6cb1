import { StowageError } from "../../errors/index.ts";

/** A moment as RFC 3339 has it, with its zone. */
const MOMENT = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i;

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
   * Value of an option that is a time span such as `30s`, `1h30m` or `500ms`; a bare number is seconds.
   *
   * @throws StowageError `invalid_argument` when it is none
   */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const ms = timeSpanMs(text);
    if (ms !== undefined) return ms;
    throw new StowageError(
      `Cannot use --${name} ${JSON.stringify(text)}: it is not a time span; write --${name} 30s`,
      { code: "invalid_argument" },
    );
  }

  /**
   * Value of an option that is a moment: one of RFC 3339, or a time span as {@link durationMs} takes it, so long ago.
   *
   * @throws StowageError `invalid_argument` when it is neither
   */
  moment(name: string): { readonly agoMs: number } | { readonly atMs: number } | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const agoMs = timeSpanMs(text);
    if (agoMs !== undefined) return { agoMs };
    const atMs = momentMs(text);
    if (atMs !== undefined) return { atMs };
    throw new StowageError(
      `Cannot use --${name} ${JSON.stringify(text)}: it is neither a time span nor a moment with its zone; write --${name} 10m, or --${name} 2026-01-31T12:00:00Z`,
      { code: "invalid_argument" },
    );
  }

  /** These arguments over others: what both have is taken from these. */
  over(others: Arguments): Arguments {
    return new Arguments(this.operands, new Map([...others.#values, ...this.#values]));
  }
}

/** Milliseconds of `30s` or `1h30m`, largest unit first; a bare number is seconds. */
function timeSpanMs(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const parts =
    /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/.exec(text);
  if (text === "" || parts === null) return undefined;
  const factors = [86_400_000, 3_600_000, 60_000, 1000, 1];
  return factors.reduce((sum, factor, at) => sum + Number(parts[at + 1] ?? 0) * factor, 0);
}

function momentMs(text: string): number | undefined {
  const [, day] = MOMENT.exec(text) ?? [];
  const atMs = Date.parse(text);
  if (day === undefined || Number.isNaN(atMs)) return undefined;
  // a thirtieth of February is taken for a day in March
  return new Date(day).toISOString().startsWith(day) ? atMs : undefined;
}
