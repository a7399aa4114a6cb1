import type { LogLine, LogOptions } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { momentOn } from "../../../host/index.ts";
import { tailLines } from "../../../internal/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import { callOptions, describePod, type PodmanContext } from "../context.ts";
import { findGeneration, inspectContainers } from "../pods/lists.ts";
import { LogTail } from "./log-tail.ts";

/** Lines of a generation's containers, from the files that podman keeps them in. */
export async function* readLogs(
  context: PodmanContext,
  identity: PodIdentity,
  container: string | undefined,
  options: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const { containers } = await findGeneration(context, identity, options.signal);
  const names = [...containers.keys()].filter((name) => (container ?? name) === name).sort();
  if (names.length === 0) {
    const what = container === undefined ? "" : `container "${container}" of `;
    throw new StowageError(
      `Cannot read output of ${what}${describePod(identity)}: it is not there`,
      { code: "not_found", context: { pod: identity.pod, container } },
    );
  }
  const ids = new Map(names.map((name) => [containers.get(name)?.Id ?? "", name]));
  const found = await inspectContainers(context, [...ids.keys()], options.signal);
  const { since, signal } = options;
  const sinceMs =
    since === undefined ? undefined : await momentOn(context.host, since, callOptions(signal));
  const sources = found.flatMap(({ Id, HostConfig }) => {
    const { Path } = HostConfig.LogConfig;
    // where nothing is kept there is no file
    if (Path === "") return [];
    const log = new LogTail(context.host, Path, signal, sinceMs);
    const newLines = log.newLines.bind(log);
    return [{ name: ids.get(Id) ?? "", newLines, isGone: () => log.isGone() }];
  });
  for await (const { name, text } of tailLines(sources, options)) yield { container: name, text };
}
