import type { LogLine } from "../engine/index.ts";
import { pad } from "./text/layout.ts";

/** How lines are named. */
export interface LabelOptions {
  /** Names a line of a source; undefined leaves lines as they are. */
  readonly label: ((source: LogSource, line: LogLine) => string) | undefined;
  /** Width of the widest name that is expected. */
  readonly width: number;
}

/** A stream of lines and the words that name it before each of them. */
export interface LogSource {
  readonly name: string;
  readonly lines: AsyncIterable<LogLine>;
}

/**
 * Writes the lines of several sources as they come, each line whole.
 *
 * @param write may be slow: no source is read further while it works
 */
export async function mergeLogs(
  sources: readonly LogSource[],
  options: LabelOptions,
  write: (text: string) => Promise<void>,
): Promise<void> {
  let width = options.width;
  await Promise.all(
    sources.map(async (source) => {
      for await (const line of source.lines) {
        const name = options.label?.(source, line);
        width = Math.max(width, name?.length ?? 0);
        await write(name === undefined ? `${line.text}\n` : `${pad(name, width)} | ${line.text}\n`);
      }
    }),
  );
}
