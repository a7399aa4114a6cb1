import { StowageError } from "../errors/index.ts";
import { mapLimited } from "../internal/index.ts";
import type { HostSpec, ObservedPod } from "../model/index.ts";
import type { CommandContext } from "./context.ts";

const PARALLELISM = 16;

/** What the engine of a host runs, or why it cannot be told. */
export type HostPods =
  | { readonly host: string; readonly pods: readonly ObservedPod[] }
  | { readonly host: string; readonly problem: StowageError };

/** Pods of every fleet on hosts, many hosts at once; one that cannot be reached says why. */
export async function observePods(
  hosts: readonly (readonly [string, HostSpec])[],
  context: CommandContext,
  parallelism = PARALLELISM,
): Promise<readonly HostPods[]> {
  const signal = context.drain;
  return await mapLimited(hosts, parallelism, async ([host, spec]): Promise<HostPods> => {
    try {
      await using reading = await context.connector.read(host, spec, signal);
      return { host, pods: (await reading.engine.observe({ signal })).pods };
    } catch (error) {
      signal.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      return { host, problem: error };
    }
  });
}
