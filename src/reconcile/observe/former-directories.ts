import { StowageError } from "../../errors/index.ts";
import type { HostReader } from "../../host/index.ts";
import { mapLimited } from "../../internal/index.ts";
import {
  type FleetManifest,
  fleetKeys,
  fleetNames,
  type HostSpec,
  hostDirectories,
  hostLayout,
  parseRoster,
  type Roster,
} from "../../model/index.ts";
import type { HostObservation, HostUnreachable } from "../../plan/index.ts";
import type { HostReading } from "../connector.ts";
import { fleetRosters } from "./leaving-hosts.ts";
import type { ObserveHostRequest } from "./observe-request.ts";

type Hosts = ReadonlyMap<string, HostObservation | HostUnreachable>;

/**
 * Hosts that have nothing of the fleet in the state directory that they are declared with, and have it in another:
 * the one that other hosts know of, or that which counts where none is declared.
 */
export async function withFormerDirectories(
  request: Pick<ObserveHostRequest, "manifest" | "options" | "signal">,
  hosts: Hosts,
  reached: ReadonlyMap<string, Pick<HostReading, "host">>,
  parallelism: number,
): Promise<Hosts> {
  const { manifest, options, signal } = request;
  const rosters = fleetRosters(manifest, options, hosts);
  const found = await mapLimited(hosts, parallelism, async ([name, seen]) => {
    const spec = manifest.hosts[name];
    const host = reached.get(name)?.host;
    if (seen.kind !== "observed" || spec === undefined || host === undefined)
      return [name, seen] as const;
    if (hasRoster(seen, manifest)) return [name, seen] as const;
    try {
      const directory = await formerDirectory(request, host, { name, spec }, rosters);
      const former = directory === undefined ? {} : { formerStateDir: directory };
      return [name, { ...seen, ...former }] as const;
    } catch (error) {
      signal?.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      return [name, { kind: "unreachable", reason: error.message }] as const;
    }
  });
  return new Map(found);
}

/** Whether a host has a list of the fleet's hosts, which every host of a fleet has. */
export function hasRoster({ rosters }: HostObservation, manifest: FleetManifest): boolean {
  return fleetKeys(manifest).some((fleet) => rosters.has(fleet));
}

async function formerDirectory(
  { manifest, signal }: Pick<ObserveHostRequest, "manifest" | "signal">,
  host: HostReader,
  { name, spec }: { readonly name: string; readonly spec: HostSpec },
  rosters: readonly Roster[],
): Promise<string | undefined> {
  const { stateDir } = hostDirectories(spec);
  const named = rosters.flatMap(({ hosts }) => hosts[name] ?? []);
  const known = named.map((entry) => hostDirectories(entry).stateDir);
  const directories = [...new Set([...known, hostDirectories({}).stateDir])].filter(
    (directory) => directory !== stateDir,
  );
  if (directories.length === 0) return undefined;
  const fileOf = (directory: string, fleet: string) =>
    hostLayout({ ...hostDirectories(spec), stateDir: directory }, manifest.id, fleet).rosterFile;
  const { files } = await host.snapshot(
    {
      files: directories.flatMap((each) =>
        fleetNames(manifest).map((fleet) => fileOf(each, fleet)),
      ),
    },
    signal === undefined ? {} : { signal },
  );
  return directories.find((directory) =>
    fleetNames(manifest).some((fleet) => {
      const text = files.get(fileOf(directory, fleet));
      const reading = typeof text === "string" ? parseRoster(text) : undefined;
      const entry = reading?.kind === "roster" ? reading.roster.hosts[name] : undefined;
      // another host of the same machine may have its own there
      return entry?.address === spec.address && hostDirectories(entry).stateDir === directory;
    }),
  );
}
