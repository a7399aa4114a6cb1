import * as z from "zod";
import { ENGINE_KINDS } from "./engine-config.ts";
import { Name, OwnerId } from "./names.ts";
import { parseVersioned, type VersionedReading } from "./parse-versioned.ts";

/** Version of the roster's form. */
export const ROSTER_VERSION = 1;

/** The fleet's hosts as of the last apply, kept on every host. */
export const Roster = z.strictObject({
  version: z.literal(ROSTER_VERSION),
  owner: OwnerId,
  fleet: Name,
  /** What manages the fleet. */
  manager: z.enum(["cli", "terraform"]),
  hosts: z.record(
    Name,
    z.strictObject({
      address: z.string(),
      engine: z.string().refine((kind) => (ENGINE_KINDS as readonly string[]).includes(kind)),
    }),
  ),
  appliedAt: z.iso.datetime(),
  appliedBy: z.string(),
});
/** See the schema of the same name. */
export type Roster = z.infer<typeof Roster>;

/** A roster as it was found on a host. */
export type RosterReading =
  | { readonly kind: "roster"; readonly roster: Roster }
  | Exclude<VersionedReading<Roster>, { readonly kind: "read" }>;

/** Reads a roster's text; never throws. */
export function parseRoster(text: string): RosterReading {
  const reading = parseVersioned(text, Roster, ROSTER_VERSION);
  return reading.kind === "read" ? { kind: "roster", roster: reading.value } : reading;
}
