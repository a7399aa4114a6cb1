import * as z from "zod";
import { isDigest } from "./digest.ts";

/** More layers than this no engine of ours can stack. */
const LAYERS_MAX = 127;
const ENTRIES_MAX = 10_000;

const Digest = z.string().refine(isDigest, "must be sha256:<64 hex> or sha512:<128 hex>");

/** The fields of a descriptor that are read; others are left out. */
export const Descriptor = z.object({
  mediaType: z.string().min(1),
  digest: Digest,
  size: z.int().nonnegative(),
});

const PlatformField = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().nullish(),
});

const Annotations = z.record(z.string(), z.string()).nullish();

/** One entry of an index: a manifest, or another index. */
export const IndexEntry = z.object({
  ...Descriptor.shape,
  platform: PlatformField.nullish(),
  annotations: Annotations,
});
/** See the schema of the same name. */
export type IndexEntry = z.infer<typeof IndexEntry>;

const absent = z.undefined("must not be there: the document is an index and a manifest at once");

/** OCI image index and Docker manifest list. */
export const IndexDocument = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  // docker save has written null for none
  manifests: z.array(IndexEntry).max(ENTRIES_MAX).nullable(),
  // a document that two readers can take for two things is refused, as containerd does
  config: absent.optional(),
  layers: absent.optional(),
});

/** OCI image manifest and Docker schema 2 manifest. */
export const ManifestDocument = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor).max(LAYERS_MAX, `must have at most ${LAYERS_MAX} layers`),
  manifests: absent.optional(),
});
/** See the schema of the same name. */
export type ManifestDocument = z.infer<typeof ManifestDocument>;

const Texts = z.array(z.string()).nullish();
const Keys = z.record(z.string(), z.unknown()).nullish();

/** OCI image config and Docker's, of which it is a part. */
export const ConfigDocument = z.object({
  os: z.string().min(1),
  architecture: z.string().min(1),
  variant: z.string().nullish(),
  rootfs: z.object({ type: z.literal("layers"), diff_ids: z.array(Digest).nullable() }),
  config: z
    .object({
      Env: Texts,
      Entrypoint: Texts,
      Cmd: Texts,
      WorkingDir: z.string().nullish(),
      User: z.string().nullish(),
      ExposedPorts: Keys,
      StopSignal: z.string().nullish(),
      Volumes: Keys,
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});
/** See the schema of the same name. */
export type ConfigDocument = z.infer<typeof ConfigDocument>;

/** The file that marks a folder as an OCI image layout. */
export const LayoutMark = z.object({
  imageLayoutVersion: z.string().regex(/^1\./, "must be version 1.x"),
});
