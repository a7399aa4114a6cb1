import type { LogLine } from "../engine/index.ts";
import { pad } from "./text/layout.ts";

/** A stream of lines and the words that name it before each of them. */
export interface LogSource {
  readonly name: string;
  readonly lines: AsyncIterable<LogLine>;
}

/**
 * Writes the lines of several sources as they come, each line whole.
 *
 * @param label names a line of a source; undefined leaves lines as they are
 * @param write may be slow: no source is read further while it works
 */
export async function mergeLogs(
  sources: readonly LogSource[],
  label: ((source: LogSource, line: LogLine) => string) | undefined,
  write: (text: string) => Promise<void>,
): Promise<void> {
  let width = 0;
  await Promise.all(
    sources.map(async (source) => {
      for await (const line of source.lines) {
        const name = label?.(source, line);
        width = Math.max(width, name?.length ?? 0);
        await write(name === undefined ? `${line.text}\n` : `${pad(name, width)} | ${line.text}\n`);
      }
    }),
  );
}
