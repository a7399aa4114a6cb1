import type * as z from "zod";
import { canonicalText } from "./canonical.ts";
import type { ChangeVerdict, FieldMeta, Json } from "./field.ts";
import { type SchemaShape, shapeOf } from "./schema-shape.ts";

/** One set leaf of a declaration, with what its schema says of it. */
export interface Attribute {
  /** Where it stands: `containers.web.env.LOG`, `ports[80/tcp]`. */
  readonly path: string;
  /** Path in the schema, names of maps and keys of lists as `*`: `containers.*.env.*`. */
  readonly fieldPath: string;
  readonly value: Json;
  readonly verdict: ChangeVerdict;
  readonly default?: Json;
  /** The value may be long: people are not shown all of it. */
  readonly long?: boolean;
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
  readonly long?: boolean;
}

interface Place {
  readonly path: string;
  readonly fieldPath: string;
  readonly verdict: ChangeVerdict;
}

/** What was walked last: a plan asks for the attributes of one pod several times in a row. */
let last:
  | { readonly value: object; readonly shape: SchemaShape; readonly found: Attributes }
  | undefined;

type Attributes = ReadonlyMap<string, Attribute>;

/**
 * Every set leaf of a value of a schema, by path; sets are one leaf, keyed lists one branch an item.
 * Values are never changed once they are made.
 */
export function attributesOf(schema: z.ZodType, value: object): Attributes {
  const shape = shapeOf(schema);
  if (last?.value === value && last.shape === shape) return last.found;
  const found = new Map<string, Attribute>();
  collect(shape, value, { path: "", fieldPath: "", verdict: "replace" }, found);
  last = { value, shape, found };
  return found;
}

/**
 * What differs between two declarations of one schema. Setting a field to its default, or taking
 * that away, is a difference that changes nothing that runs: its verdict is `live`.
 */
export function diffAttributes(
  schema: z.ZodType,
  before: object,
  after: object,
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
    const { fieldPath, verdict, default: fallback, long } = (is ?? was) as Attribute;
    const same = canonicalText(was?.value ?? fallback) === canonicalText(is?.value ?? fallback);
    changes.push({
      path,
      fieldPath,
      ...sides(was, is),
      verdict: same && fallback !== undefined ? "live" : verdict,
      ...(long === undefined ? {} : { long }),
    });
  }
  return changes;
}

function sides(
  was: Attribute | undefined,
  is: Attribute | undefined,
): Pick<AttributeChange, "before" | "after"> {
  return {
    ...(was === undefined ? {} : { before: was.value }),
    ...(is === undefined ? {} : { after: is.value }),
  };
}

function collect(
  shape: SchemaShape,
  value: unknown,
  place: Place,
  found: Map<string, Attribute>,
): void {
  if (value === undefined) return;
  const { meta } = shape;
  const here = meta?.change === undefined ? place : { ...place, verdict: meta.change };
  const branch = shape.branch(value);
  if (branch.kind === "object") collectFields(branch, value as object, here, found);
  else if (branch.kind === "map") {
    for (const [key, item] of Object.entries(value as object)) {
      collect(branch.items as SchemaShape, item, step(here, segment(key), ".*"), found);
    }
  } else if (branch.kind === "list" && meta?.key !== undefined) {
    for (const item of value as readonly Record<string, unknown>[]) {
      const next = step(here, `[${meta.key(item)}]`, "[*]");
      collect(branch.items as SchemaShape, item, next, found);
    }
  } else found.set(here.path, leaf(here, value as Json, meta));
}

function collectFields(
  shape: SchemaShape,
  value: object,
  place: Place,
  found: Map<string, Attribute>,
): void {
  for (const [key, item] of Object.entries(value)) {
    const field = shape.field(key);
    if (field !== undefined) collect(field, item, step(place, segment(key), `.${key}`), found);
  }
}

function leaf(place: Place, value: Json, meta: FieldMeta | undefined): Attribute {
  const isSet = meta?.set === true;
  return {
    ...place,
    value: isSet ? [...new Set(value as readonly string[])].sort() : value,
    ...(meta?.default === undefined ? {} : { default: meta.default }),
    ...(meta?.long === undefined ? {} : { long: meta.long }),
  };
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
