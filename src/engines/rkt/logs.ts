import type { LogLine, LogOptions } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { type LogSource, readLogs } from "../../host/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";
import { describePod, type RktContext } from "./context.ts";
import type { Flavor } from "./flavor.ts";
import { appName } from "./layout.ts";
import { readPod } from "./pods/read-pods.ts";

/** What rkt itself prints into an app's output on fly, at each start on a host without its group. */
export const NO_GROUP =
  'run-prepared: group "rkt" not found, will use default gid when rendering images';

/** What the host flavour's journal puts before each line of an app: `[ 1684.548425] app[6]: `. */
const JOURNAL_PREFIX = /^\[ *\d+\.\d+\] [^ [\]]+\[\d+\]: /;

/** A line of output as the app wrote it; undefined for one that is not the app's. */
export function cleanLine(flavor: Flavor, text: string): string | undefined {
  if (flavor === "fly") return text === NO_GROUP ? undefined : text;
  return text.replace(/\r$/, "").replace(JOURNAL_PREFIX, "");
}

/** Output of a generation's containers. */
export async function* readOutput(
  context: RktContext,
  identity: PodIdentity,
  container: string | undefined,
  options: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const { host, layout, flavor } = context;
  const { pod } = await readPod(context, identity, objectName(identity), [], options.signal);
  const names = Object.keys(pod?.file?.containers ?? {})
    .filter((name) => (container ?? name) === name)
    .sort();
  if (names.length === 0) {
    const what = container === undefined ? "" : `container "${container}" of `;
    throw new StowageError(
      `Cannot read output of ${what}${describePod(identity)}: it is not there; see stowage ps`,
      { code: "not_found", context: { pod: identity.pod, container } },
    );
  }
  const sources = names.map(
    (name): LogSource => ({
      container: name,
      directory: layout.logDir(appName(identity, name)),
      clean: (text) => cleanLine(flavor, text),
    }),
  );
  yield* readLogs(host, sources, options);
}
