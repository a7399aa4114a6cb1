import type * as z from "zod";

/**
 * How a change of a field reaches what runs: `live` while the process continues, `restart` with its
 * processes restarted and the writable layer kept, `replace` with a new generation.
 */
export type ChangeVerdict = "live" | "restart" | "replace";

/** A value of JSON, as manifests, records and plans hold it. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What Stowage knows of a field beside its type. */
export interface FieldMeta {
  /** One sentence for editors and the reference. */
  readonly description: string;
  /** How a change of it is applied; a field without one takes the verdict of the nearest field above. */
  readonly change?: ChangeVerdict;
  readonly unit?: "bytes" | "ms" | "millicores" | "port" | "path" | "octal";
  /** What applies while it is not set; shown, never stored. */
  readonly default?: Json;
  /** It may be long: plans say its size and the beginning of its digest. */
  readonly long?: boolean;
  /** A list whose order says nothing. */
  readonly set?: boolean;
  /** Of an engine: tells its objects from those of another one of its kind on the same host. */
  readonly identity?: boolean;
  /** Names an item of a list of objects, so that a change of order is none and a change of one item names it. */
  readonly key?: (item: Readonly<Record<string, unknown>>) => string;
}

const metaOf = new WeakMap<z.ZodType, FieldMeta>();

/**
 * Gives a schema its description and its planning metadata: the one place where a field is defined.
 * It comes last: a check added to the result loses the metadata.
 */
export function field<S extends z.ZodType>(schema: S, meta: FieldMeta): S {
  const described = schema.describe(meta.description) as S;
  metaOf.set(described, meta);
  return described;
}

/** Metadata of a schema, looked for through optional, readonly and refinement wrappers. */
export function fieldMeta(schema: z.ZodType): FieldMeta | undefined {
  return metaOf.get(schema) ?? (isWrapped(schema) ? fieldMeta(innerOf(schema)) : undefined);
}

/** The schema below optional, nullable, readonly and default wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  return isWrapped(schema) ? unwrap(innerOf(schema)) : schema;
}

const WRAPPERS = new Set([
  "optional",
  "nullable",
  "readonly",
  "default",
  "prefault",
  "nonoptional",
]);

function isWrapped(schema: z.ZodType): boolean {
  return WRAPPERS.has(schema.def.type);
}

function innerOf(schema: z.ZodType): z.ZodType {
  return (schema.def as unknown as { innerType: z.ZodType }).innerType;
}
