import { StowageError } from "../errors/index.ts";
import { mapLimited } from "../internal/index.ts";
import type { FleetManifest, HostSpec } from "../model/index.ts";
import { type HostEngines, readEngines } from "../reconcile/index.ts";
import type { CommandContext } from "./context.ts";

const PARALLELISM = 16;

/** What the engines of a host run, or why it cannot be told. */
export type HostPods =
  | ({ readonly host: string } & HostEngines)
  | { readonly host: string; readonly problem: StowageError };

/** Pods of every fleet on hosts, many hosts at once; one that cannot be reached says why. */
export async function observePods(
  manifest: FleetManifest,
  hosts: readonly (readonly [string, HostSpec])[],
  context: CommandContext,
  parallelism = PARALLELISM,
): Promise<readonly HostPods[]> {
  const signal = context.drain;
  return await mapLimited(hosts, parallelism, async ([host, spec]): Promise<HostPods> => {
    try {
      await using reading = await context.connector.read(host, spec, signal);
      return { host, ...(await readEngines(reading, { name: host, spec, manifest, signal })) };
    } catch (error) {
      signal.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      return { host, problem: error };
    }
  });
}
