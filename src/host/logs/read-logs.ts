import { tailLines } from "../../internal/index.ts";
import type { HostCallOptions, HostReader } from "../host.ts";
import { type LogMoment, momentOn } from "./log-moment.ts";
import { LogTail } from "./log-tail.ts";

/** A line of a container's output, without its line end. */
export interface LogSourceLine {
  readonly container: string;
  readonly text: string;
}

/**
 * Which lines to read: the newest `tail` of the past, and with `follow` new ones until the signal is aborted, or
 * until nothing more comes after `ended` was.
 */
export interface ReadLogsOptions extends HostCallOptions {
  readonly tail?: number;
  readonly follow?: boolean;
  readonly ended?: AbortSignal;
  /** Lines that begin earlier do not count. */
  readonly since?: LogMoment;
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
  const { since, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const tailOptions =
    since === undefined ? call : { ...call, sinceMs: await momentOn(host, since, call) };
  const tails = sources.map(({ container, directory, clean = (text: string) => text }) => {
    const log = new LogTail(host, directory, tailOptions);
    const newLines = (how: { readonly final: boolean }) => cleaned(log.newLines(how), clean);
    return { name: container, newLines, isGone: () => log.isGone() };
  });
  for await (const { name, text } of tailLines(tails, options)) yield { container: name, text };
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
