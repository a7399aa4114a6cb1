import { goneEngine } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { callOptions, type PodmanContext } from "./context.ts";
import { processesIn, processLists } from "./pods/cgroup-processes.ts";
import { glanceAtStore, mayBeOurs } from "./store/store-used.ts";

/** The command lines of all processes: conmon's names its container. */
const COMMAND_LINES = "/proc/*/cmdline";

/**
 * What it means that podman cannot be asked. Where its program is not on the host any more,
 * and nothing of Stowage's runs that it started, there is no podman.
 *
 * @returns the error to throw: `not_found` when it is gone
 */
export async function whyNotAsked(
  context: PodmanContext,
  error: unknown,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (!StowageError.is(error) || !StowageError.is(error.cause, "not_found")) return error;
  const running = await runningWithout(context, signal);
  return running === undefined ? error : goneEngine(error, running);
}

/** Names of containers that run, seen without podman; undefined where its store does not tell which there are. */
async function runningWithout(
  context: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | undefined> {
  const { isUsed, stored } = await glanceAtStore(context, signal);
  if (stored === undefined) return isUsed ? undefined : [];
  const ours = stored.filter(mayBeOurs);
  if (ours.length === 0) return [];
  const lists = ours.flatMap(({ id }) => processLists(id, "*"));
  const { files } = await context.host.snapshot(
    { files: [...lists, COMMAND_LINES] },
    callOptions(signal),
  );
  const commands = [...files].filter(([path]) => path.endsWith("/cmdline"));
  const runs = (id: string): boolean =>
    processesIn(id, files).length > 0 || commands.some(([, text]) => `${text}`.includes(id));
  return ours.flatMap(({ id, names: [name] }) => (runs(id) ? [name ?? id] : []));
}
