import { createHash } from "node:crypto";
import { z } from "zod";
import { fieldMeta, type Json, unwrap } from "./field.ts";

/**
 * A value of a schema in the one form that equal declarations share: keys sorted, sets and keyed
 * lists sorted, what is absent or empty left out.
 */
export function canonicalize(schema: z.ZodType, value: unknown): Json | undefined {
  if (value === undefined) return undefined;
  const inner = select(unwrap(schema), value);
  if (inner instanceof z.ZodObject)
    return canonicalObject(value, (key) => inner.shape[key] as z.ZodType | undefined);
  if (inner instanceof z.ZodRecord)
    return canonicalObject(value, () => inner.valueType as z.ZodType);
  if (inner instanceof z.ZodArray)
    return canonicalArray(schema, inner, value as readonly unknown[]);
  if (value !== null && typeof value === "object") return canonicalJson(value as Json);
  return value as Json;
}

/** The canonical text of a value of JSON: keys sorted, no white space. */
export function canonicalText(value: Json | undefined): string {
  return JSON.stringify(value === undefined ? null : canonicalJson(value));
}

/** `sha256:` and the hexadecimal SHA-256 of a value's canonical text. */
export function digestOf(value: Json | undefined): string {
  return `sha256:${createHash("sha256").update(canonicalText(value)).digest("hex")}`;
}

/** The branch of a union that a value belongs to; any other schema as it is. */
export function select(schema: z.ZodType, value: unknown): z.ZodType {
  if (!(schema instanceof z.ZodUnion)) return schema;
  const options = schema.options as readonly z.ZodType[];
  return unwrap(
    options.find((option) => option.safeParse(value).success) ?? (options[0] as z.ZodType),
  );
}

function canonicalObject(
  value: unknown,
  schemaOf: (key: string) => z.ZodType | undefined,
): Json | undefined {
  const source = value as Readonly<Record<string, unknown>>;
  const entries: [string, Json][] = [];
  for (const key of Object.keys(source).sort()) {
    const schema = schemaOf(key);
    const item =
      schema === undefined ? canonicalJson(source[key] as Json) : canonicalize(schema, source[key]);
    if (item !== undefined) entries.push([key, item]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function canonicalArray(
  schema: z.ZodType,
  array: z.ZodArray,
  value: readonly unknown[],
): Json | undefined {
  const meta = fieldMeta(schema);
  const items = value.map((item) => canonicalize(array.element as z.ZodType, item) ?? null);
  if (meta?.set !== true && meta?.key === undefined) return items;
  if (items.length === 0) return undefined;
  const texts = new Map(items.map((item) => [JSON.stringify(item), item]));
  return [...texts.keys()].sort().map((text) => texts.get(text) as Json);
}

function canonicalJson(value: Json): Json {
  if (Array.isArray(value)) return value.map(canonicalJson);
  if (value === null || typeof value !== "object") return value;
  const source = value as Readonly<Record<string, Json>>;
  return Object.fromEntries(
    Object.keys(source)
      .sort()
      .filter((key) => source[key] !== undefined)
      .map((key) => [key, canonicalJson(source[key] as Json)]),
  );
}
