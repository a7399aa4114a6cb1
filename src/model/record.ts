import * as z from "zod";
import { canonicalize, digestOfText } from "./canonical.ts";
import { EngineConfig } from "./engine-config.ts";
import { Digest, Name, OwnerId } from "./names.ts";
import { parseVersioned, type VersionedReading } from "./parse-versioned.ts";
import { PodSpec } from "./pod.ts";

/**
 * Version of the record's form; a higher one found on a host is refused, a lower one migrated on read.
 * 2: the engine of each generation, and generations that are kept in another engine.
 */
export const RECORD_VERSION = 2;

/** Version of Stowage's own defaults; raised when one changes, so that the change is an entry of the plan. */
export const DEFAULTS_VERSION = 1;

/** What a container's image reference led to. */
export const AppliedImage = z.strictObject({
  reference: z.string(),
  /** Digest of the platform's manifest: the identity. */
  digest: Digest,
  /** Digest of its config, which outlives engines that lose the manifest's. */
  configDigest: Digest.optional(),
});
/** See the schema of the same name. */
export type AppliedImage = z.infer<typeof AppliedImage>;

/** One generation of a pod as it was applied. */
export const RecordedGeneration = z.strictObject({
  generation: z.int().min(1),
  spec: PodSpec,
  images: z.record(Name, AppliedImage),
  /** HMAC-SHA-256 of secret values under `salt`, by attribute path (`containers.web.env.DB_PASSWORD`). */
  secrets: z.record(z.string(), z.string()).optional(),
  defaults: z.int(),
  /** The engine that it was made in; absent in records of before there was a choice. */
  engine: EngineConfig.optional(),
});
/** See the schema of the same name. */
export type RecordedGeneration = z.infer<typeof RecordedGeneration>;

/** A generation that lies stopped in another engine because the user wanted it kept. */
export const KeptGeneration = z.strictObject({
  generation: z.int().min(1),
  engine: EngineConfig,
});
/** See the schema of the same name. */
export type KeptGeneration = z.infer<typeof KeptGeneration>;

/** What was last applied to a pod; one file on its host. A cache of intent: it may be lost. */
export const PodRecord = z.strictObject({
  version: z.literal(RECORD_VERSION),
  owner: OwnerId,
  fleet: Name,
  host: Name,
  pod: Name,
  /** The generation that was last proven; absent while the first one is on its way. */
  current: z.int().min(1).optional(),
  /** The current generation, and one on its way. */
  generations: z.array(RecordedGeneration).readonly(),
  kept: z.array(KeptGeneration).readonly().optional(),
  /** Random key of the secrets' HMACs, base64. */
  salt: z.string().optional(),
  appliedAt: z.iso.datetime(),
  /** Who applied: `user@machine`. */
  appliedBy: z.string(),
});
/** See the schema of the same name. */
export type PodRecord = z.infer<typeof PodRecord>;

/** A record as it was found on a host. */
export type RecordReading =
  | { readonly kind: "record"; readonly record: PodRecord }
  | Exclude<VersionedReading<PodRecord>, { readonly kind: "read" }>;

/** Reads a record's text; never throws. */
export function parseRecord(text: string): RecordReading {
  const reading = parseVersioned(text, PodRecord, RECORD_VERSION);
  return reading.kind === "read" ? { kind: "record", record: reading.value } : reading;
}

/** Digest of what a generation is made of: equal digests are the same pod, whatever its generation number. */
export function generationDigest({
  images,
  spec,
}: Pick<RecordedGeneration, "spec" | "images">): string {
  const digests = Object.keys(images)
    .sort()
    .map((container) => [container, images[container]?.digest]);
  const canonical = canonicalize(PodSpec, spec) ?? null;
  return digestOfText(JSON.stringify({ images: Object.fromEntries(digests), spec: canonical }));
}
