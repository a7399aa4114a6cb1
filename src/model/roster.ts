import * as z from "zod";
import { ENGINE_KINDS } from "./engine-config.ts";
import { Name, OwnerId } from "./names.ts";

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
  | { readonly kind: "newer"; readonly version: number }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Reads a roster's text; never throws. */
export function parseRoster(text: string): RosterReading {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { kind: "unreadable", reason: `it is not JSON (${(error as Error).message})` };
  }
  const version = (json as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > ROSTER_VERSION) return { kind: "newer", version };
  const result = Roster.safeParse(json);
  if (result.success) return { kind: "roster", roster: result.data };
  const issue = result.error.issues[0];
  return {
    kind: "unreadable",
    reason: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a roster"}`,
  };
}
