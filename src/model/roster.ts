import * as z from "zod";
import { ENGINE_KINDS, EngineConfig } from "./engine-config.ts";
import { Name, OwnerId } from "./names.ts";
import { parseVersioned, type VersionedReading } from "./parse-versioned.ts";

/** Version of the roster's form. 2: how a host's engine is reached, and its other engines. */
export const ROSTER_VERSION = 2;

/** One host of a fleet as of the last apply. */
export const RosterHost = z.strictObject({
  address: z.string(),
  engine: z.string().refine((kind) => (ENGINE_KINDS as readonly string[]).includes(kind)),
  /** The engine itself; absent in rosters of before there was a choice. */
  config: EngineConfig.optional(),
  /** Engines of the host that may still hold something of the fleet: only on the host itself. */
  others: z.array(EngineConfig).readonly().optional(),
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

/** Reads a roster's text; never throws. */
export function parseRoster(text: string): RosterReading {
  const reading = parseVersioned(text, Roster, ROSTER_VERSION);
  return reading.kind === "read" ? { kind: "roster", roster: reading.value } : reading;
}
