import type { Host } from "./host.ts";
import type { Placement } from "./placements.ts";
import type { IPod } from "./pod-base.ts";

/**
 * Names by which a pod of one host knows what it waits for. A pod of the same host is called by its
 * name, any other `host/pod`; of a service it is the pods on the same host, or all where it has none
 * there. Empty when it is placed nowhere.
 */
export function dependencyNames(
  of: IPod | string,
  host: Host,
  placements: readonly Placement[],
): readonly string[] {
  if (typeof of === "string") return [of];
  const all = placements.filter(({ source }) => source === of);
  const near = all.filter((placement) => placement.host === host);
  if (near.length > 0) return near.map(({ name }) => name);
  return all.map((placement) => `${placement.host.hostName}/${placement.name}`);
}
