import { setImmediate as nextTurn } from "node:timers/promises";
import type { HostSnapshot } from "../../host/index.ts";
import {
  type HostSpec,
  hostDirectories,
  type KnownRosterHosts,
  Name,
  OwnerId,
  parseRecord,
  parseRoster,
  type RecordReading,
  type RosterReading,
} from "../../model/index.ts";

/** Records understood in one turn of the event loop: a millisecond, in which no engine is heard. */
const RECORDS_AT_ONCE = 32;

const ROSTER = ".roster.json";

/**
 * The records in a snapshot, by `owner/fleet/pod`. Files that no pod can have are not ours.
 *
 * @param spec the host as it is declared, of which most records say the same
 */
export async function readRecords(
  snapshot: HostSnapshot,
  spec: HostSpec,
): Promise<ReadonlyMap<string, RecordReading>> {
  const records = new Map<string, RecordReading>();
  const { stateDir } = hostDirectories(spec);
  let sinceTurn = 0;
  for (const [path, text] of snapshot.files) {
    sinceTurn = (sinceTurn + 1) % RECORDS_AT_ONCE;
    if (sinceTurn === 0) await nextTurn();
    const [owner = "", fleet = "", file = "", ...rest] = partsOf(path, stateDir);
    const pod = file.replace(/\.json$/, "");
    if (rest.length > 0 || file === ROSTER || !isFleet(owner, fleet) || !isName(pod)) continue;
    records.set(
      `${owner}/${fleet}/${pod}`,
      typeof text === "string"
        ? parseRecord(text, { spec: spec.pods?.[pod], engine: spec.engine })
        : { kind: "unreadable", reason: text.message },
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
