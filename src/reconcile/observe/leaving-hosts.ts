import type { EngineKind, FleetManifest, HostSpec, Roster } from "../../model/index.ts";
import type { HostObservation, HostUnreachable, PlanOptions } from "../../plan/index.ts";

type Hosts = ReadonlyMap<string, HostObservation | HostUnreachable>;

/**
 * Hosts that rosters name and the manifest does not, as they can be reached: a roster keeps address
 * and engine kind. A declared host of the same address and kind says the rest (it was renamed).
 */
export function findLeavingHosts(
  manifest: FleetManifest,
  observations: Hosts,
): ReadonlyMap<string, HostSpec> {
  const leaving = new Map<string, HostSpec>();
  for (const roster of fleetRosters(manifest, {}, observations)) {
    for (const [name, { address, engine }] of Object.entries(roster.hosts)) {
      if (name in manifest.hosts || leaving.has(name)) continue;
      leaving.set(name, specOf(manifest, address, engine as EngineKind));
    }
  }
  return new Map([...leaving].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The rosters of a fleet, under every name and owner that counts as its own. */
export function fleetRosters(
  manifest: FleetManifest,
  options: PlanOptions,
  observations: Hosts,
): readonly Roster[] {
  const rosters: Roster[] = [];
  for (const found of observations.values()) {
    if (found.kind !== "observed") continue;
    for (const [key, reading] of found.rosters) {
      const [owner, fleet] = key.split("/");
      const isOwn =
        owner === manifest.id && (fleet === manifest.name || fleet === manifest.formerly);
      const isTaken = options.takeOver === true && fleet === manifest.name;
      if (reading.kind === "roster" && (isOwn || isTaken)) rosters.push(reading.roster);
    }
  }
  return rosters;
}

function specOf(manifest: FleetManifest, address: string, kind: EngineKind): HostSpec {
  const same = Object.values(manifest.hosts).find(
    (spec) => spec.address === address && spec.engine.kind === kind,
  );
  if (same === undefined) return { address, engine: { kind } };
  const { engine, stateDir, runDir } = same;
  return {
    address,
    engine,
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(runDir === undefined ? {} : { runDir }),
  };
}
