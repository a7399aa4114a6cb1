import { z } from "zod";
import { canonicalText, select } from "./canonical.ts";
import { type ChangeVerdict, fieldMeta, type Json, unwrap } from "./field.ts";

/** One set leaf of a declaration, with what its schema says of it. */
export interface Attribute {
  /** Where it stands: `containers.web.env.LOG`, `ports[80/tcp]`. */
  readonly path: string;
  /** Path in the schema, names of maps and keys of lists as `*`: `containers.*.env.*`. */
  readonly fieldPath: string;
  readonly value: Json;
  readonly verdict: ChangeVerdict;
  readonly default?: Json;
}

/** A difference between two declarations. */
export interface AttributeChange {
  readonly path: string;
  readonly fieldPath: string;
  /** Absent: was not set. */
  readonly before?: Json;
  /** Absent: is not set. */
  readonly after?: Json;
  readonly verdict: ChangeVerdict;
}

interface Place {
  readonly path: string;
  readonly fieldPath: string;
  readonly verdict: ChangeVerdict;
}

/** Every set leaf of a value of a schema, by path; sets are one leaf, keyed lists one branch an item. */
export function attributesOf(schema: z.ZodType, value: unknown): ReadonlyMap<string, Attribute> {
  const found = new Map<string, Attribute>();
  collect(schema, value, { path: "", fieldPath: "", verdict: "replace" }, found);
  return found;
}

/**
 * What differs between two declarations of one schema. Setting a field to its default, or taking
 * that away, is a difference that changes nothing that runs: its verdict is `live`.
 */
export function diffAttributes(
  schema: z.ZodType,
  before: unknown,
  after: unknown,
): readonly AttributeChange[] {
  const old = attributesOf(schema, before);
  const now = attributesOf(schema, after);
  const changes: AttributeChange[] = [];
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(path), now.get(path)];
    if (
      was !== undefined &&
      is !== undefined &&
      canonicalText(was.value) === canonicalText(is.value)
    )
      continue;
    const { fieldPath, verdict, default: fallback } = (is ?? was) as Attribute;
    const same = canonicalText(was?.value ?? fallback) === canonicalText(is?.value ?? fallback);
    changes.push({
      path,
      fieldPath,
      ...(was === undefined ? {} : { before: was.value }),
      ...(is === undefined ? {} : { after: is.value }),
      verdict: same && fallback !== undefined ? "live" : verdict,
    });
  }
  return changes;
}

function collect(
  schema: z.ZodType,
  value: unknown,
  place: Place,
  found: Map<string, Attribute>,
): void {
  if (value === undefined) return;
  const meta = fieldMeta(schema);
  const here = meta?.change === undefined ? place : { ...place, verdict: meta.change };
  const inner = select(unwrap(schema), value);
  if (inner instanceof z.ZodObject) return collectObject(inner, value, here, found);
  if (inner instanceof z.ZodRecord) {
    for (const [key, item] of Object.entries(value as object)) {
      collect(inner.valueType as z.ZodType, item, step(here, segment(key), ".*"), found);
    }
    return;
  }
  if (inner instanceof z.ZodArray && meta?.key !== undefined) {
    for (const item of value as readonly Record<string, unknown>[]) {
      collect(inner.element as z.ZodType, item, step(here, `[${meta.key(item)}]`, "[*]"), found);
    }
    return;
  }
  found.set(here.path, {
    ...here,
    value:
      meta?.set === true ? ([...(value as readonly string[])].sort() as Json) : (value as Json),
    ...(meta?.default === undefined ? {} : { default: meta.default }),
  });
}

function collectObject(
  schema: z.ZodObject,
  value: unknown,
  place: Place,
  found: Map<string, Attribute>,
): void {
  for (const [key, item] of Object.entries(value as object)) {
    const next = schema.shape[key] as z.ZodType | undefined;
    if (next !== undefined) collect(next, item, step(place, segment(key), `.${key}`), found);
  }
}

function step(place: Place, path: string, fieldPath: string): Place {
  const strip = (text: string): string =>
    place.path === "" && text.startsWith(".") ? text.slice(1) : text;
  return {
    ...place,
    path: place.path + strip(path),
    fieldPath: place.fieldPath + strip(fieldPath),
  };
}

function segment(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
