import * as z from "zod";
import { isDigest } from "./digest.ts";

// each is made when it is first used: a plan reads none of them

/** More layers than this no engine of ours can stack. */
const LAYERS_MAX = 127;
const ENTRIES_MAX = 10_000;

const digest = () => z.string().refine(isDigest, "must be sha256:<64 hex> or sha512:<128 hex>");

/** The fields of a descriptor that are read. */
const descriptorFields = () => ({
  mediaType: z.string().min(1),
  digest: digest(),
  size: z.int().nonnegative(),
});

const platformField = () =>
  z.object({ os: z.string(), architecture: z.string(), variant: z.string().nullish() });

/** A descriptor alone; other fields are left out. */
export const Descriptor = z.lazy(() => z.object(descriptorFields()));

/** One entry of an index: a manifest, or another index. */
export const IndexEntry = z.lazy(() =>
  z.object({
    ...descriptorFields(),
    platform: platformField().nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
);
/** See the schema of the same name. */
export type IndexEntry = z.infer<typeof IndexEntry>;

const absent = () =>
  z.undefined("must be absent: the document would be both an index and a manifest").optional();

/** OCI image index and Docker manifest list. */
export const IndexDocument = z.lazy(() =>
  z.object({
    schemaVersion: z.literal(2),
    mediaType: z.string().optional(),
    // docker save has written null for none
    manifests: z.array(IndexEntry).max(ENTRIES_MAX).nullable(),
    // a document that two readers can take for two things is refused, as containerd does
    config: absent(),
    layers: absent(),
  }),
);

/** OCI image manifest and Docker schema 2 manifest. */
export const ManifestDocument = z.lazy(() =>
  z.object({
    schemaVersion: z.literal(2),
    mediaType: z.string().optional(),
    config: Descriptor,
    layers: z
      .array(z.object(descriptorFields()))
      .max(LAYERS_MAX, `must have at most ${LAYERS_MAX} layers`),
    manifests: absent(),
  }),
);
/** See the schema of the same name. */
export type ManifestDocument = z.infer<typeof ManifestDocument>;

const texts = () => z.array(z.string()).nullish();
const keys = () => z.record(z.string(), z.unknown()).nullish();

/** What a config says of how to run its image. */
export const RunConfig = z.lazy(() =>
  z
    .object({
      Env: texts(),
      Entrypoint: texts(),
      Cmd: texts(),
      WorkingDir: z.string().nullish(),
      User: z.string().nullish(),
      ExposedPorts: keys(),
      StopSignal: z.string().nullish(),
      Volumes: keys(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
);

/** OCI image config and Docker's, of which it is a part. */
export const ConfigDocument = z.lazy(() =>
  z.object({
    os: z.string().min(1),
    architecture: z.string().min(1),
    variant: z.string().nullish(),
    rootfs: z.object({ type: z.literal("layers"), diff_ids: z.array(digest()).nullable() }),
    config: RunConfig,
  }),
);
/** See the schema of the same name. */
export type ConfigDocument = z.infer<typeof ConfigDocument>;

/** The file that marks a folder as an OCI image layout. */
export const LayoutMark = z.lazy(() =>
  z.object({
    imageLayoutVersion: z.string().regex(/^1\./, "must be version 1.x"),
  }),
);
