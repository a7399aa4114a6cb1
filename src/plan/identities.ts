import { podsOnHost } from "./observed-pods.ts";
import type { FleetIdentity } from "./plan.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";

/** Identities whose pods on a host are this fleet's: its own first, then its former name and owners that it takes over from. */
export function fleetIdentities(
  input: PlanInput,
  observation: HostObservation,
): readonly FleetIdentity[] {
  const { id, name, formerly } = input.manifest;
  const identities: FleetIdentity[] = [{ owner: id, fleet: name }];
  if (formerly !== undefined) identities.push({ owner: id, fleet: formerly });
  if (input.options.takeOver !== true) return identities;
  const owners = new Set<string>();
  for (const key of observation.rosters.keys()) {
    const [owner, fleet] = key.split("/");
    if (fleet === name && owner !== undefined && owner !== id) owners.add(owner);
  }
  for (const { pod } of podsOnHost(observation))
    if (pod.fleet === name && pod.owner !== id) owners.add(pod.owner);
  return [...identities, ...[...owners].sort().map((owner) => ({ owner, fleet: name }))];
}

/** Former identities that have left something on the host. */
export function formerIdentities(
  input: PlanInput,
  observation: HostObservation,
): readonly FleetIdentity[] {
  return fleetIdentities(input, observation)
    .slice(1)
    .filter(
      ({ owner, fleet }) =>
        observation.rosters.has(`${owner}/${fleet}`) ||
        podsOnHost(observation).some(({ pod }) => pod.owner === owner && pod.fleet === fleet),
    );
}
