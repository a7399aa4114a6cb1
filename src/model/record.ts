import * as z from "zod";
import { canonicalize, digestOfText, isSameJson } from "./canonical.ts";
import { EngineConfig } from "./engine-config.ts";
import { Digest, Name, OwnerId } from "./names.ts";
import { parseVersioned, type VersionedReading } from "./parse-versioned.ts";
import { PodSpec } from "./pod.ts";

/**
 * Version of the record's form; a higher one found on a host is refused, a lower one migrated on read.
 * 2: the engine of each generation, and generations that are kept in another engine. 3: who applied each
 * generation, and when.
 */
export const RECORD_VERSION = 3;

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
  /** When and by whom it was applied; absent in records of before that was written down of each one. */
  appliedAt: z.iso.datetime().optional(),
  appliedBy: z.string().optional(),
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

/** What is declared now: a record mostly says the same. */
export interface DeclaredPod {
  readonly spec?: PodSpec | undefined;
  readonly engine?: EngineConfig;
}

/**
 * Reads a record's text; never throws.
 *
 * @param declared what its pod is declared as: what is the same to the letter is not checked again,
 * which is most of the time that reading a host's records takes
 */
export function parseRecord(text: string, declared: DeclaredPod = {}): RecordReading {
  let isDeclared = false;
  const reading = parseVersioned(text, RECORD_VERSION, (json) => {
    isDeclared = isAllAsDeclared(json, declared);
    return isDeclared ? RecordWithout : PodRecord;
  });
  if (reading.kind !== "read") return reading;
  if (!isDeclared) return { kind: "record", record: reading.value as PodRecord };
  const { generations, ...rest } = reading.value;
  const { spec, engine } = declared;
  const whole = generations.map((each) =>
    each.engine === undefined ? { ...each, spec } : { ...each, spec, engine },
  );
  return { kind: "record", record: { ...rest, generations: whole } as PodRecord };
}

/** A record of which the pods and their engines are known already. */
const RecordWithout = z.strictObject({
  ...PodRecord.shape,
  generations: z.array(
    z.strictObject({
      ...RecordedGeneration.shape,
      spec: z.unknown(),
      engine: z.unknown().optional(),
    }),
  ),
});

function isAllAsDeclared(json: unknown, { spec, engine }: DeclaredPod): boolean {
  const generations = (json as { readonly generations?: unknown } | null)?.generations;
  if (spec === undefined || engine === undefined || !Array.isArray(generations)) return false;
  return generations.every(
    (each: { readonly spec?: unknown; readonly engine?: unknown } | null) =>
      isSameJson(each?.spec, spec) &&
      (each?.engine === undefined || isSameJson(each.engine, engine)),
  );
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
