import * as z from "zod";
import { ENGINE_KINDS, EngineConfig } from "./engine-config.ts";
import type { HostSpec } from "./host.ts";
import { AbsolutePath, Name, OwnerId } from "./names.ts";
import { parseVersioned, type VersionedReading } from "./parse-versioned.ts";

/** Version of the roster's form. 2: how a host's engine is reached, and its other engines. 3: its directories. */
export const ROSTER_VERSION = 3;

/** One host of a fleet as of the last apply. */
export const RosterHost = z.strictObject({
  address: z.string(),
  engine: z.string().refine((kind) => (ENGINE_KINDS as readonly string[]).includes(kind)),
  /** The engine itself; absent in rosters of before there was a choice. */
  config: EngineConfig.optional(),
  /** Engines of the host that may still hold something of the fleet: only on the host itself. */
  others: z.array(EngineConfig).readonly().optional(),
  /** Where Stowage keeps what it writes there; absent where that is the default. */
  stateDir: AbsolutePath.optional(),
  runDir: AbsolutePath.optional(),
});
/** See the schema of the same name. */
export type RosterHost = z.infer<typeof RosterHost>;

/** The fleet's hosts as of the last apply, kept on every host. */
export const Roster = z.strictObject({
  version: z.literal(ROSTER_VERSION),
  owner: OwnerId,
  fleet: Name,
  /** What manages the fleet. */
  manager: z.enum(["cli", "terraform"]),
  hosts: z.record(Name, RosterHost),
  appliedAt: z.iso.datetime(),
  appliedBy: z.string(),
});
/** See the schema of the same name. */
export type Roster = z.infer<typeof Roster>;

/** A roster as it was found on a host. */
export type RosterReading =
  | { readonly kind: "roster"; readonly roster: Roster }
  | Exclude<VersionedReading<Roster>, { readonly kind: "read" }>;

/** The engine that a roster names for one of its hosts; of an old roster only its kind is known. */
export function rosterEngine({ engine, config }: RosterHost): EngineConfig {
  return config ?? EngineConfig.parse({ kind: engine });
}

/** What a roster says of one of its hosts, as a declaration without pods. */
export function rosterSpec(entry: RosterHost): HostSpec {
  const { address, stateDir, runDir } = entry;
  return { address, engine: rosterEngine(entry), ...directoriesPart({ stateDir, runDir }) };
}

/** The directories that were set. */
export function directoriesPart({
  stateDir,
  runDir,
}: {
  readonly stateDir?: string | undefined;
  readonly runDir?: string | undefined;
}): Pick<RosterHost, "stateDir" | "runDir"> {
  return {
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(runDir === undefined ? {} : { runDir }),
  };
}

/** Lists of hosts that rosters have, by their text: every host of a fleet keeps the same one. */
export type KnownRosterHosts = Map<string, Roster["hosts"]>;

/**
 * Reads a roster's text; never throws.
 *
 * @param known lists of hosts that were read before: one of them is neither checked nor held again
 */
export function parseRoster(text: string, known: KnownRosterHosts = new Map()): RosterReading {
  let hostsText = "";
  let hosts: Roster["hosts"] | undefined;
  const reading = parseVersioned(text, ROSTER_VERSION, (json) => {
    hostsText = hostsTextOf(json);
    hosts = known.get(hostsText);
    return hosts === undefined ? Roster : RosterWithout;
  });
  if (reading.kind !== "read") return reading;
  const roster: Roster = { ...reading.value, hosts: hosts ?? (reading.value as Roster).hosts };
  known.set(hostsText, roster.hosts);
  return { kind: "roster", roster };
}

/** A roster whose list of hosts is known already. */
const RosterWithout = z.strictObject({ ...Roster.shape, hosts: z.unknown() });

function hostsTextOf(json: unknown): string {
  return JSON.stringify((json as { readonly hosts?: unknown } | null)?.hosts) ?? "";
}
