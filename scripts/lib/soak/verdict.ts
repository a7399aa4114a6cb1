import type { Measure } from "./measure.ts";

const MEBIBYTE = 1024 * 1024;
/** Memory is called flat up to this much more: a part of what it was, and what an allocator keeps. */
const [MORE_PART, MORE_BYTES] = [0.2, 24 * MEBIBYTE];
/** What of a sort of things is said at most. */
const SAID = 12;

/** What a soak comes to. */
export interface Verdict {
  readonly flat: boolean;
  readonly lines: readonly string[];
}

/**
 * Compares what is there at the end with what was there after the warm-up: of things none may be more, of
 * memory little. Memory is judged by the median of what was measured at either end.
 */
export function judge(start: readonly Measure[], end: readonly Measure[]): Verdict {
  const [before, after] = [start.at(-1), end.at(-1)];
  if (before === undefined || after === undefined)
    return { flat: false, lines: ["nothing was measured"] };
  const memory = Object.keys(after.memory).map((name) => {
    const [was, is] = [start, end].map((side) =>
      median(side.map((each) => each.memory[name] ?? 0)),
    ) as [number, number];
    const flat = is <= was * (1 + MORE_PART) + MORE_BYTES;
    return { flat, line: `${name}: ${mebibytes(was)} -> ${mebibytes(is)}` };
  });
  const things = Object.keys(after.things).map((sort) => {
    const [was, is] = [before.things[sort] ?? [], after.things[sort] ?? []];
    const more = surplus(was, is);
    const said = more.slice(0, SAID).map((each) => `\n    + ${each}`);
    const rest = more.length > SAID ? `\n    and ${more.length - SAID} sorts more` : "";
    return {
      flat: is.length <= was.length,
      line: `${sort}: ${was.length} -> ${is.length}${is.length > was.length ? said.join("") + rest : ""}`,
    };
  });
  const all = [...memory, ...things];
  return {
    flat: all.every(({ flat }) => flat),
    lines: all.map(({ flat, line }) => `${flat ? "flat    " : "NOT FLAT"} ${line}`),
  };
}

/** Names of which there are more than there were, each with how many. */
function surplus(before: readonly string[], after: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of after) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const name of before) counts.set(name, (counts.get(name) ?? 0) - 1);
  return [...counts].flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : [])).sort();
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
