import { hash } from "node:crypto";
import type * as z from "zod";
import type { Json } from "./field.ts";
import { type SchemaShape, shapeOf } from "./schema-shape.ts";

/**
 * A value of a schema in the one form that equal declarations share: keys sorted, sets and keyed
 * lists sorted, what is absent or empty left out, but for what a map has a name for.
 */
export function canonicalize(schema: z.ZodType, value: unknown): Json | undefined {
  return canonical(shapeOf(schema), value);
}

/** The canonical text of a value of JSON: keys sorted, no white space. */
export function canonicalText(value: Json | undefined): string {
  return JSON.stringify(value === undefined ? null : canonicalJson(value));
}

/** `sha256:` and the hexadecimal SHA-256 of a value's canonical text. */
export function digestOf(value: Json | undefined): string {
  return digestOfText(canonicalText(value));
}

/** The same for a text that is canonical already. */
export function digestOfText(text: string): string {
  return `sha256:${hash("sha256", text)}`;
}

/** Whether two values of JSON are the same to the letter, but for the order of keys and keys without a value. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => isSameJson(item, b[index]));
  }
  const [left, right] = [a, b] as readonly Readonly<Record<string, unknown>>[];
  return hasSameFields(left ?? {}, right ?? {});
}

function hasSameFields(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): boolean {
  const keys = Object.keys(a);
  const isWithin = (from: readonly string[], other: object): boolean =>
    from.every((key) => Object.hasOwn(other, key));
  if (isWithin(keys, b) && keys.length === Object.keys(b).length) {
    return keys.every((key) => isSameJson(a[key], b[key]));
  }
  return [...new Set([...keys, ...Object.keys(b)])].every((key) =>
    isSameJson(
      Object.hasOwn(a, key) ? a[key] : undefined,
      Object.hasOwn(b, key) ? b[key] : undefined,
    ),
  );
}

function canonical(shape: SchemaShape, value: unknown): Json | undefined {
  if (value === undefined) return undefined;
  const branch = shape.branch(value);
  if (branch.kind === "object") return canonicalFields(value, (key) => branch.field(key));
  if (branch.kind === "map") return canonicalFields(value, () => branch.items, true);
  if (branch.kind === "list") return canonicalList(shape, branch, value as readonly unknown[]);
  return canonicalJson(value as Json);
}

function canonicalFields(
  value: unknown,
  shapeAt: (key: string) => SchemaShape | undefined,
  areNames = false,
): Json | undefined {
  const source = value as Readonly<Record<string, unknown>>;
  const entries: [string, Json][] = [];
  for (const key of Object.keys(source).sort()) {
    const shape = shapeAt(key);
    const item =
      shape === undefined ? canonicalJson(source[key] as Json) : canonical(shape, source[key]);
    if (item !== undefined) entries.push([key, item]);
    // a network without settings is declared all the same: by its name
    else if (areNames && source[key] !== undefined && shape?.branch(source[key]).kind === "object")
      entries.push([key, {}]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function canonicalList(
  shape: SchemaShape,
  branch: SchemaShape,
  value: readonly unknown[],
): Json | undefined {
  const items = value.map((item) => canonical(branch.items as SchemaShape, item) ?? null);
  if (shape.meta?.set !== true && shape.meta?.key === undefined) return items;
  if (items.length === 0) return undefined;
  const texts = new Map(items.map((item) => [JSON.stringify(item), item]));
  return [...texts.keys()].sort().map((text) => texts.get(text) as Json);
}

function canonicalJson(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(canonicalJson);
  const source = value as Readonly<Record<string, Json>>;
  const sorted: Record<string, Json> = {};
  for (const key of Object.keys(source).sort()) {
    const item = source[key];
    // defined rather than assigned: a key of "__proto__" is data like any other
    if (item !== undefined) {
      Object.defineProperty(sorted, key, { value: canonicalJson(item), enumerable: true });
    }
  }
  return sorted;
}
