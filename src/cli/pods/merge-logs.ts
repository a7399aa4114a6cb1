import type { LogLine } from "../../engine/index.ts";
import { pad } from "../text/layout.ts";

/** A stream of lines of a pod. */
export interface LogSource {
  readonly host: string;
  readonly pod: string;
  readonly lines: AsyncIterable<LogLine>;
}

/** What is written of a line of a source, without the end of the line. */
export type LineWriter = (source: LogSource, line: LogLine) => string;

/** Lines as the containers wrote them. */
export const bareLine: LineWriter = (_, line) => line.text;

/** Lines for programs: an object of JSON each. */
export const jsonLine: LineWriter = ({ host, pod }, { container, text }) =>
  JSON.stringify({ host, pod, container, line: text });

/**
 * Lines with the words that name where they are from before them.
 *
 * @param expected width of the widest name that is expected
 */
export function labelledLine(label: LineWriter, expected: number): LineWriter {
  let width = expected;
  return (source, line) => {
    const name = label(source, line);
    width = Math.max(width, name.length);
    return `${pad(name, width)} | ${line.text}`;
  };
}

/**
 * Writes the lines of several sources as they come, each line whole.
 *
 * @param write may be slow: no source is read further while it works
 */
export async function mergeLogs(
  sources: readonly LogSource[],
  words: LineWriter,
  write: (text: string) => Promise<void>,
): Promise<void> {
  await Promise.all(
    sources.map(async (source) => {
      for await (const line of source.lines) await write(`${words(source, line)}\n`);
    }),
  );
}
