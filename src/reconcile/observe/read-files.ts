import { setImmediate as nextTurn } from "node:timers/promises";
import type { HostSnapshot } from "../../host/index.ts";
import {
  type FleetManifest,
  fleetNames,
  type HostSpec,
  hostDirectories,
  hostLayout,
  type KnownRosterHosts,
  Name,
  OwnerId,
  parseRecord,
  parseRolloutMark,
  parseRoster,
  type RecordReading,
  type RolloutMarkReading,
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

/**
 * The marks of rollouts in a snapshot, by `owner/fleet/service`, of a fleet and of its former name.
 *
 * @returns undefined where the fleet has no directory for them and nothing of its former name
 */
export function readMarks(
  { files, entries }: HostSnapshot,
  { manifest, spec }: { readonly manifest: FleetManifest; readonly spec: HostSpec },
): ReadonlyMap<string, RolloutMarkReading> | undefined {
  const directories = hostDirectories(spec);
  const marks = new Map<string, RolloutMarkReading>();
  const { id, name } = manifest;
  const hasDirectory = entries.has(hostLayout(directories, id, name).rolloutsDir);
  for (const fleet of fleetNames(manifest)) {
    const { rolloutsDir, rolloutFile } = hostLayout(directories, id, fleet);
    for (const file of entries.get(rolloutsDir) ?? []) {
      const service = file.replace(/\.json$/, "");
      const text = files.get(rolloutFile(service));
      if (text === undefined || !isName(service)) continue;
      marks.set(`${id}/${fleet}/${service}`, parseRolloutMark(text, service));
    }
  }
  return hasDirectory || marks.size > 0 ? marks : undefined;
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
