import * as z from "zod";
import { Name } from "./names.ts";
import { parseVersioned, type VersionedReading } from "./parse-versioned.ts";

/** Version of the form of {@link RolloutMark}. */
export const ROLLOUT_MARK_VERSION = 1;

/** What a host stores about a service's rollout beside its declaration: whether it is paused. */
export const RolloutMark = z.lazy(() =>
  z.strictObject({
    version: z.literal(ROLLOUT_MARK_VERSION),
    service: Name,
    /** Of marks of one service that with the highest counts: one that missed the others is older. */
    revision: z.int().min(1),
    paused: z.boolean(),
    /** Who, and from where: `user@machine`. */
    by: z.string().max(256),
    /** By the clock of the machine that it was said on; for people alone. */
    at: z.iso.datetime(),
  }),
);
/** See the schema of the same name. */
export type RolloutMark = z.infer<typeof RolloutMark>;

/** A mark as it was found on a host. */
export type RolloutMarkReading =
  | { readonly kind: "mark"; readonly mark: RolloutMark }
  | Exclude<VersionedReading<RolloutMark>, { readonly kind: "read" }>;

/** Reads the file of a mark, as its host gave it; never throws. */
export function parseRolloutMark(text: string | Error, service: string): RolloutMarkReading {
  if (typeof text !== "string") return { kind: "unreadable", reason: text.message };
  const reading = parseVersioned(text, ROLLOUT_MARK_VERSION, () => RolloutMark);
  if (reading.kind !== "read") return reading;
  const mark = reading.value;
  if (mark.service === service) return { kind: "mark", mark };
  return { kind: "unreadable", reason: `it is of service ${mark.service}` };
}
