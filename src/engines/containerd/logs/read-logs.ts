import type { LogLine, LogOptions } from "../../../engine/index.ts";
import type { HostReader } from "../../../host/index.ts";
import { tailLines } from "../../../internal/index.ts";
import { LogTail } from "./log-tail.ts";

/** A container and where its output lies. */
export interface LogSource {
  readonly container: string;
  readonly directory: string;
}

/** Lines of containers: what is kept, container by container, then new ones of all as they come. */
export async function* readLogs(
  host: HostReader,
  sources: readonly LogSource[],
  options: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const tails = sources.map(({ container, directory }) => {
    const log = new LogTail(host, directory, options.signal);
    return { name: container, newLines: log.newLines.bind(log) };
  });
  for await (const { name, text } of tailLines(tails, options)) yield { container: name, text };
}
