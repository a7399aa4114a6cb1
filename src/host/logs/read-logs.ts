import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../errors/index.ts";
import type { HostCallOptions, HostReader } from "../host.ts";
import { LogTail } from "./log-tail.ts";

/** How often files are looked at for new lines. */
const POLL_MS = 150;

/** A line of a container's output, without its line end. */
export interface LogSourceLine {
  readonly container: string;
  readonly text: string;
}

/** Which lines to read: the newest `tail` of the past, and with `follow` new ones until the signal is aborted. */
export interface ReadLogsOptions extends HostCallOptions {
  readonly tail?: number;
  readonly follow?: boolean;
}

/** A container and where its output lies. */
export interface LogSource {
  readonly container: string;
  readonly directory: string;
  /** A line as the container wrote it; undefined for one that is not its own. */
  readonly clean?: (text: string) => string | undefined;
}

/** Lines of containers: what is kept, container by container, then new ones of all as they come. */
export async function* readLogs(
  host: HostReader,
  sources: readonly LogSource[],
  options: ReadLogsOptions,
): AsyncGenerator<LogSourceLine, void, undefined> {
  const { signal, tail, follow = false } = options;
  const tails = sources.map((source) => ({
    container: source.container,
    clean: source.clean ?? ((text: string) => text),
    log: new LogTail(host, source.directory, signal),
  }));
  for (const { container, log, clean } of tails) {
    const lines = cleaned(log.newLines({ final: !follow }), clean);
    for await (const text of newest(lines, tail)) yield { container, text };
  }
  while (follow) {
    await pause(signal);
    for (const { container, log, clean } of tails) {
      const lines = cleaned(log.newLines({ final: false }), clean);
      for await (const text of lines) yield { container, text };
    }
  }
}

async function* cleaned(
  lines: AsyncIterable<string>,
  clean: (text: string) => string | undefined,
): AsyncGenerator<string, void, undefined> {
  for await (const line of lines) {
    const text = clean(line);
    if (text !== undefined) yield text;
  }
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
