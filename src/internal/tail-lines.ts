import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../errors/index.ts";

/** How often a source is read for new lines. */
const POLL_MS = 150;
/** Looks without a new line after which what has no line end is taken for one: a question, or the last words of a process. */
const QUIET_LOOKS = 6;
/** Looks without a new line after which an output that has ended is there to its last word: whoever writes it down waits for line ends. */
const QUIET_LOOKS_AT_END = 3;

/** Something that lines come from. */
export interface LineSource {
  readonly name: string;
  /**
   * Lines that came since the last call.
   *
   * @param how whether what has no line end yet is a line too
   */
  newLines(how: { readonly final: boolean }): AsyncIterable<string>;
  /** Whether its place was there and is not any more, so that nothing can come. */
  isGone?(): boolean;
}

/** A line and where it came from. */
export interface NamedLine {
  readonly name: string;
  readonly text: string;
}

/**
 * Lines of sources: what is there, source by source, then new ones of all as they come.
 *
 * @param options.tail lines of the past, newest ones; all when absent
 * @param options.follow continues until the signal is aborted, or all sources are gone
 * @param options.ended aborted when nothing more will be written: what is still on its way is waited for, and then it is the end
 */
export async function* tailLines(
  sources: readonly LineSource[],
  options: {
    readonly tail?: number | undefined;
    readonly follow?: boolean | undefined;
    readonly ended?: AbortSignal | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<NamedLine, void, undefined> {
  const { signal, ended, tail, follow = false } = options;
  for (const source of sources) {
    const lines = source.newLines({ final: !follow });
    for await (const text of newest(lines, tail)) yield { name: source.name, text };
  }
  if (follow) yield* followLines(sources, { signal, ended });
}

async function* followLines(
  sources: readonly LineSource[],
  { signal, ended }: Readonly<Record<"signal" | "ended", AbortSignal | undefined>>,
): AsyncGenerator<NamedLine, void, undefined> {
  let followed = sources.map((source) => ({ source, quiet: 0 }));
  for (let isOver = false; !isOver; ) {
    const hasEnded = ended?.aborted === true;
    await pause(signal);
    // where nothing is kept there is no source, and nothing goes
    const stay = followed.filter(({ source }) => source.isGone?.() !== true);
    if (stay.length === 0 && followed.length > 0) return;
    followed = stay;
    for (const each of followed) {
      const { source, quiet } = each;
      each.quiet += 1;
      for await (const text of source.newLines({ final: quiet >= QUIET_LOOKS })) {
        each.quiet = 0;
        yield { name: source.name, text };
      }
    }
    isOver = hasEnded && followed.every(({ quiet }) => quiet >= QUIET_LOOKS_AT_END);
  }
  // last words need no line end
  for (const source of sources)
    for await (const text of source.newLines({ final: true })) yield { name: source.name, text };
}

/** The last lines; all of them where no number is given. */
async function* newest(
  lines: AsyncIterable<string>,
  count: number | undefined,
): AsyncGenerator<string, void, undefined> {
  if (count === undefined) {
    yield* lines;
    return;
  }
  const kept: string[] = [];
  for await (const text of lines) {
    kept.push(text);
    // thrown away in large parts, since each costs as much as what stays
    if (kept.length > 2 * count + 1024) kept.splice(0, kept.length - count);
  }
  yield* count === 0 ? [] : kept.slice(-count);
}

/** Waits for the next look. @throws the signal's own reason */
async function pause(signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw StowageError.from(error, "Cannot wait for output");
  }
}
