import type { BenchmarkResult, Figure } from "./benchmark.ts";

/** A figure that is more than it may be. */
export function isBroken({ value, atMost }: Figure): boolean {
  return atMost !== undefined && value > atMost;
}

/** A benchmark's figures as a table, its notes below. */
export function renderResult(title: string, { figures, notes }: BenchmarkResult): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const rows = figures.map((figure) => {
    const bound = figure.atMost === undefined ? "reported" : boundWords(figure, figure.atMost);
    return `  ${figure.name.padEnd(width)}  ${formatValue(figure.value, figure.unit).padStart(11)}   ${bound}`;
  });
  return [title, ...rows, ...notes.map((note) => `  note: ${note}`), ""].join("\n");
}

function boundWords(figure: Figure, atMost: number): string {
  const bound = `at most ${formatValue(atMost, figure.unit)}`;
  return isBroken(figure) ? `${bound}  BROKEN` : `${bound}  held`;
}

function formatValue(value: number, unit: Figure["unit"]): string {
  const digits = unit === "x" ? 2 : unit === "us" ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}
