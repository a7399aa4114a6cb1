import { existsSync, readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";

/** A frame of a stack, and in it the place in a bundled file. */
const FRAME = /^( +at ).*?((?:file:\/\/)?\/[^():]+\.cjs):(\d+):(\d+)\)?$/gm;

/**
 * A stack in the words of the sources: a bundled file has short names, and positions that say nothing. What
 * no map is known of stays as it is.
 */
export function sourceStack(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  return stack.replace(FRAME, (frame, at: string, file: string, line: string, column: string) => {
    if (!maps.has(file)) maps.set(file, mapOf(file));
    const origin = maps.get(file)?.findOrigin(Number(line), Number(column));
    if (origin === undefined || !("fileName" in origin)) return frame;
    return `${at}${origin.fileName}:${origin.lineNumber}:${origin.columnNumber}`;
  });
}

function mapOf(file: string): SourceMap | undefined {
  const map = `${file}.map`;
  if (!existsSync(map)) return undefined;
  try {
    return new SourceMap(JSON.parse(readFileSync(map, "utf8")) as SourceMapPayload);
  } catch {
    // the error itself matters more than its position
    return undefined;
  }
}
