import {
  directoriesPart,
  type FleetManifest,
  type HostSpec,
  placeWords,
  type Roster,
  type RosterHost,
  rosterSpec,
} from "../../model/index.ts";
import type { HostObservation, HostUnreachable, PlanOptions } from "../../plan/index.ts";

type Hosts = ReadonlyMap<string, HostObservation | HostUnreachable>;

/**
 * Hosts that rosters name and the manifest does not, as they can be reached. What an old roster does not say,
 * a declared host of the same address and kind does (it was renamed).
 */
export function findLeavingHosts(
  manifest: FleetManifest,
  observations: Hosts,
): ReadonlyMap<string, HostSpec> {
  const leaving = new Map<string, HostSpec>();
  // every host has a roster with every host in it
  const declared = new Set(Object.values(manifest.hosts).flatMap(placeWords));
  for (const roster of fleetRosters(manifest, {}, observations)) {
    for (const [name, entry] of Object.entries(roster.hosts)) {
      if (name in manifest.hosts || leaving.has(name)) continue;
      const spec = specOf(manifest, entry);
      // one that was only given another name does not leave
      if (placeWords(spec).some((word) => declared.has(word))) continue;
      leaving.set(name, spec);
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
  if (config !== undefined) return rosterSpec(entry);
  const same = Object.values(manifest.hosts).find(
    (spec) => spec.address === address && spec.engine.kind === entry.engine,
  );
  if (same === undefined) return rosterSpec(entry);
  return { address, engine: same.engine, ...directoriesPart(same) };
}
