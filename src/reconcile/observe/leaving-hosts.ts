import {
  type FleetManifest,
  type HostSpec,
  type Roster,
  type RosterHost,
  rosterEngine,
} from "../../model/index.ts";
import type { HostObservation, HostUnreachable, PlanOptions } from "../../plan/index.ts";

type Hosts = ReadonlyMap<string, HostObservation | HostUnreachable>;

/**
 * Hosts that rosters name and the manifest does not, as they can be reached: a roster keeps address
 * and engine. A declared host of the same address and kind says the rest (it was renamed).
 */
export function findLeavingHosts(
  manifest: FleetManifest,
  observations: Hosts,
): ReadonlyMap<string, HostSpec> {
  const leaving = new Map<string, HostSpec>();
  for (const roster of fleetRosters(manifest, {}, observations)) {
    for (const [name, entry] of Object.entries(roster.hosts)) {
      if (name in manifest.hosts || leaving.has(name)) continue;
      leaving.set(name, specOf(manifest, entry));
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

function specOf(manifest: FleetManifest, entry: RosterHost): HostSpec {
  const { address, config } = entry;
  const same = Object.values(manifest.hosts).find(
    (spec) => spec.address === address && spec.engine.kind === entry.engine,
  );
  if (same === undefined) return { address, engine: rosterEngine(entry) };
  const { engine, stateDir, runDir } = same;
  return {
    address,
    engine: config ?? engine,
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(runDir === undefined ? {} : { runDir }),
  };
}
