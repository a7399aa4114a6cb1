import type { FleetManifest, HostSpec } from "../../model/index.ts";
import { checkHealth, type Health, type HostEngines, readEngines } from "../../reconcile/index.ts";
import type { CommandContext } from "../context.ts";
import { askHosts, type HostAnswer, readHosts } from "./read-hosts.ts";

/** What the engines of a host run, or why that is not known. */
export type HostPods = HostAnswer<HostEngines & { readonly health?: ReadonlyMap<string, Health> }>;

/** Pods of every fleet on hosts, many hosts at once; one that cannot be reached says why. */
export async function observePods(
  manifest: FleetManifest,
  hosts: readonly (readonly [string, HostSpec])[],
  context: CommandContext,
  parallelism?: number,
): Promise<readonly HostPods[]> {
  const signal = context.drain;
  return await readHosts(hosts, context, parallelism, (reading, name, spec) =>
    readEngines(reading, { name, spec, manifest, signal }),
  );
}

/** Like {@link observePods}, with what the probes of the fleet's containers say. */
export async function observeHealth(
  manifest: FleetManifest,
  hosts: readonly (readonly [string, HostSpec])[],
  context: CommandContext,
  parallelism?: number,
): Promise<readonly HostPods[]> {
  const signal = context.drain;
  return await askHosts(hosts, context, {
    parallelism,
    reach: context.connector.open,
    ask: async (access, name, spec) => {
      const found = await readEngines(access, { name, spec, manifest, signal });
      return { ...found, health: await checkHealth(access, found, manifest, signal) };
    },
  });
}
