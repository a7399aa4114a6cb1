import type { HostSnapshot } from "../../host/index.ts";
import {
  type KnownRosterHosts,
  Name,
  OwnerId,
  parseRecord,
  parseRoster,
  type RecordReading,
  type RosterReading,
} from "../../model/index.ts";

const ROSTER = ".roster.json";

/** The records in a snapshot, by `owner/fleet/pod`. Files that no pod can have are not ours. */
export function readRecords(
  snapshot: HostSnapshot,
  stateDir: string,
): ReadonlyMap<string, RecordReading> {
  const records = new Map<string, RecordReading>();
  for (const [path, text] of snapshot.files) {
    const [owner = "", fleet = "", file = "", ...rest] = partsOf(path, stateDir);
    const pod = file.replace(/\.json$/, "");
    if (rest.length > 0 || file === ROSTER || !isFleet(owner, fleet) || !isName(pod)) continue;
    records.set(
      `${owner}/${fleet}/${pod}`,
      typeof text === "string" ? parseRecord(text) : { kind: "unreadable", reason: text.message },
    );
  }
  return records;
}

/** The rosters in a snapshot, by `owner/fleet`. */
export function readRosters(
  snapshot: HostSnapshot,
  stateDir: string,
  known?: KnownRosterHosts,
): ReadonlyMap<string, RosterReading> {
  const rosters = new Map<string, RosterReading>();
  for (const [path, text] of snapshot.files) {
    const [owner = "", fleet = "", file, ...rest] = partsOf(path, stateDir);
    if (rest.length > 0 || file !== ROSTER || !isFleet(owner, fleet)) continue;
    rosters.set(
      `${owner}/${fleet}`,
      typeof text === "string"
        ? parseRoster(text, known)
        : { kind: "unreadable", reason: text.message },
    );
  }
  return rosters;
}

function partsOf(path: string, stateDir: string): readonly string[] {
  return path.startsWith(`${stateDir}/`) ? path.slice(stateDir.length + 1).split("/") : [];
}

function isFleet(owner: string, fleet: string): boolean {
  return OwnerId.safeParse(owner).success && isName(fleet);
}

function isName(text: string): boolean {
  return Name.safeParse(text).success;
}
