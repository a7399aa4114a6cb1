import { nameOfTemporary } from "../../host/index.ts";
import { canonicalText, type Json, ROSTER_VERSION, type Roster } from "../../model/index.ts";
import type { HostSession } from "./host-session.ts";

type Session = Pick<HostSession, "host" | "layout" | "context" | "signal" | "observation">;

/** Writes the fleet's hosts down on one of them. */
export async function writeRoster(
  { host, layout, context, signal }: Session,
  hosts: Roster["hosts"],
): Promise<void> {
  const { owner, fleet, manager, appliedBy } = context;
  const roster: Roster = {
    version: ROSTER_VERSION,
    owner,
    fleet,
    manager,
    hosts,
    appliedAt: new Date().toISOString(),
    appliedBy,
  };
  await host.writeFile(layout.rosterFile, canonicalText(roster as Json), { signal });
}

/** Takes a host's roster and the marks of its rollouts away, and the fleet's directory where nothing else is left in it. */
export async function removeRoster({ host, layout, signal }: Session): Promise<void> {
  const options = { signal };
  await host.removeDirectory(layout.rolloutsDir, options);
  await host.removeFile(layout.rosterFile, options);
  await removeEmptyFleet({ host, layout, signal });
}

/** Removes the directories of a fleet that hold neither a record nor a volume; the rest goes with them. */
export async function removeEmptyFleet({
  host,
  layout,
  signal,
}: Pick<Session, "host" | "layout" | "signal">): Promise<void> {
  const options = { signal };
  const ownerDir = layout.fleetDir.slice(0, layout.fleetDir.lastIndexOf("/"));
  const list = [layout.fleetDir, layout.volumesDir];
  const { entries } = await host.snapshot({ list }, options);
  const inFleet = entries.get(layout.fleetDir);
  if (inFleet === undefined || (entries.get(layout.volumesDir) ?? []).length > 0) return;
  const empty = [layout.volumesDir, layout.historyDir, layout.rolloutsDir];
  const isOfUse = (name: string): boolean =>
    !empty.includes(`${layout.fleetDir}/${name}`) && nameOfTemporary(name) === undefined;
  if (inFleet.some(isOfUse)) return;
  await host.removeDirectory(layout.fleetDir, options);
  const above = await host.snapshot({ list: [ownerDir] }, options);
  if (above.entries.get(ownerDir)?.length === 0) await host.removeDirectory(ownerDir, options);
}

/** The hosts that this host's roster named when it was observed. */
export function heldRoster({ observation, context }: Session): Roster | undefined {
  const reading = observation.rosters.get(`${context.owner}/${context.fleet}`);
  return reading?.kind === "roster" ? reading.roster : undefined;
}

/** Whether one list of hosts says all that another says. */
export function includesHosts(
  hosts: Roster["hosts"] | undefined,
  wanted: Roster["hosts"],
): boolean {
  return Object.entries(wanted).every(
    ([name, entry]) =>
      canonicalText(hosts?.[name] as Json | undefined) === canonicalText(entry as Json),
  );
}
