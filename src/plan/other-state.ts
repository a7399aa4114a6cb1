import type { Diagnostic } from "../errors/index.ts";
import { fleetKeys, fleetNames, hostDirectories, objectName } from "../model/index.ts";
import { podsOnHost } from "./observed-pods.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";

/** Generations that a name may be of that is too long to tell its own. */
const GENERATIONS_TRIED = 64;

/**
 * Pods of the fleet that an engine knows by another state directory alone: with the declared one they would be made a
 * second time.
 */
export function podsElsewhere(
  { manifest }: PlanInput,
  host: string,
  { engine, others }: HostObservation,
): readonly Diagnostic[] {
  const spec = manifest.hosts[host];
  const seen = [engine, ...others.flatMap((each) => (each.kind === "observed" ? each.engine : []))];
  const names = new Set(seen.flatMap(({ elsewhere = [] }) => elsewhere));
  if (spec === undefined || names.size === 0) return [];
  const pods = Object.entries(spec.pods ?? {}).filter(([pod, { containers }]) =>
    fleetNames(manifest).some((fleet) =>
      Object.keys(containers).some((container) => {
        const identity = { owner: manifest.id, fleet, host, pod };
        return generations(names).some((generation) =>
          names.has(objectName({ ...identity, generation }, container)),
        );
      }),
    ),
  );
  if (pods.length === 0) return [];
  const { stateDir } = hostDirectories(spec);
  return [
    {
      severity: "error",
      path: `hosts.${host}.stateDir`,
      summary: `pods of the fleet were applied with another stateDir than ${stateDir}: ${pods.map(([pod]) => pod).join(", ")}`,
      detail: `set it to that one; to change it, run stowage destroy --host ${host} with that, which keeps volumes, move these by hand, and apply with ${stateDir}`,
    },
  ];
}

function generations(names: ReadonlySet<string>): readonly number[] {
  const told = [...names].flatMap((name) => {
    const [, generation] = /-(\d+)-[a-z2-7]{26}$/.exec(name) ?? [];
    return generation === undefined ? [] : [Number(generation)];
  });
  const tried = Array.from({ length: GENERATIONS_TRIED }, (_, at) => at + 1);
  return [...new Set(told.length === names.size ? told : [...told, ...tried])];
}

/**
 * Said of pods that run where the state directory has nothing at all of their fleet: it was emptied or is not mounted,
 * or another one is meant.
 */
export function unseenState(
  { manifest, options }: PlanInput,
  host: string,
  observation: HostObservation,
): readonly string[] {
  const spec = manifest.hosts[host];
  if (spec === undefined || options.destroy === true) return [];
  const keys = fleetKeys(manifest);
  const { rosters, records } = observation;
  const isKnown =
    keys.some((key) => rosters.has(key)) ||
    [...records.keys()].some((record) => keys.some((key) => record.startsWith(`${key}/`)));
  const own = podsOnHost(observation).filter(
    ({ pod }) => keys.includes(`${pod.owner}/${pod.fleet}`) && pod.host === host,
  );
  if (isKnown || own.length === 0) return [];
  const { stateDir } = hostDirectories(spec);
  return [
    `${host}: pods of the fleet are there, but ${stateDir} holds no records and no volumes of it: if it was applied with another stateDir, declare that one; if ${stateDir} is not mounted, mount it; else its records and volumes are lost, and are created again`,
  ];
}
