import {
  type EngineConfig,
  engineIdentity,
  type FleetManifest,
  type HostSpec,
  MANIFEST_VERSION,
  type RecordReading,
  type RosterReading,
  rosterEngine,
} from "../../model/index.ts";
import type { HostObservation } from "../../plan/index.ts";

/** A host and what a fleet is called that it was named in. */
export interface NamedHost {
  readonly name: string;
  readonly spec: HostSpec;
  /** Absent: by its address alone. */
  readonly own?: { readonly owner: string; readonly fleet: string };
}

/** What of a host says which fleets are on it. */
export interface HostTraces {
  readonly rosters: ReadonlyMap<string, RosterReading>;
  /** Of all fleets. */
  readonly records: ReadonlyMap<string, RecordReading>;
  readonly engine: HostObservation["engine"];
  readonly others: HostObservation["others"];
  /** Directories of fleets, as `owner/fleet`; of one whose volumes were kept nothing else is there. */
  readonly directories: readonly string[];
}

/** A fleet that has something on a host. */
export interface FleetOnHost {
  readonly owner: string;
  readonly fleet: string;
  /** What it calls the host. */
  readonly host: string;
  /** The fleet with this host alone, and nothing declared. */
  readonly manifest: FleetManifest;
  /** Hosts that it has beside this one; they are left alone. */
  readonly elsewhere: readonly string[];
}

/** Every fleet with a directory, a pod or an image on a host, sorted. */
export function fleetsOnHost(host: NamedHost, traces: HostTraces): readonly FleetOnHost[] {
  const { rosters, records, engine, others, directories } = traces;
  const keys = new Set(directories);
  for (const key of rosters.keys()) keys.add(key);
  for (const key of records.keys()) keys.add(key.slice(0, key.lastIndexOf("/")));
  const engines = [
    engine,
    ...others.flatMap((each) => (each.kind === "observed" ? [each.engine] : [])),
  ];
  for (const { pods, images } of engines) {
    for (const { owner, fleet } of pods) keys.add(`${owner}/${fleet}`);
    for (const { fleets } of images) for (const key of fleets ?? []) keys.add(key);
  }
  return [...keys].sort().map((key) => fleetOf(key, host, traces));
}

/** Engines of the host that rosters and records name, the declared one first. */
export function enginesOnHost(
  { spec }: NamedHost,
  fleets: readonly FleetOnHost[],
  { rosters, records }: HostTraces,
): readonly EngineConfig[] {
  const named = fleets.flatMap(({ owner, fleet, host }) => {
    const reading = rosters.get(`${owner}/${fleet}`);
    const entry = reading?.kind === "roster" ? reading.roster.hosts[host] : undefined;
    return entry === undefined ? [] : [rosterEngine(entry), ...(entry.others ?? [])];
  });
  const recorded = [...records.values()].flatMap((reading) =>
    reading.kind === "record"
      ? [...reading.record.generations, ...(reading.record.kept ?? [])].flatMap(
          ({ engine }) => engine ?? [],
        )
      : [],
  );
  const all = [spec.engine, ...named, ...recorded];
  return [...new Map(all.map((config) => [engineIdentity(config), config])).values()];
}

function fleetOf(key: string, named: NamedHost, traces: HostTraces): FleetOnHost {
  const [owner = "", fleet = ""] = key.split("/");
  const { own, spec } = named;
  const isOwn = own !== undefined && own.owner === owner && own.fleet === fleet;
  const reading = traces.rosters.get(key);
  const hosts = reading?.kind === "roster" ? reading.roster.hosts : {};
  const host = isOwn ? named.name : (nameInFleet(key, named, traces) ?? named.name);
  const entry = hosts[host];
  const engine = isOwn || entry === undefined ? spec.engine : rosterEngine(entry);
  const { pods: _, ...place } = spec;
  return {
    owner,
    fleet,
    host,
    manifest: {
      version: MANIFEST_VERSION,
      name: fleet,
      id: owner,
      hosts: { [host]: { ...place, engine } },
    },
    elsewhere: Object.keys(hosts).filter((name) => name !== host),
  };
}

/** Its records say it; a roster says which hosts have the address, one of them mostly. */
function nameInFleet(
  key: string,
  { spec }: NamedHost,
  { rosters, records }: HostTraces,
): string | undefined {
  for (const [id, reading] of records)
    if (id.startsWith(`${key}/`) && reading.kind === "record") return reading.record.host;
  const reading = rosters.get(key);
  const hosts = reading?.kind === "roster" ? reading.roster.hosts : {};
  const here = Object.keys(hosts).filter((name) => hosts[name]?.address === spec.address);
  return here.find((name) => hosts[name]?.engine === spec.engine.kind) ?? here[0];
}
