import { z } from "zod";
import { type ChangeVerdict, type FieldMeta, fieldMeta, unwrap } from "../../../src/model/index.ts";

/** A field of a schema. */
export interface Field {
  /** Path in the schema: names of maps and keys of lists are `*`. */
  readonly path: string;
  readonly schema: z.ZodType;
  readonly meta: FieldMeta | undefined;
  /** The field's own verdict, else that of the nearest field above. */
  readonly change: ChangeVerdict | undefined;
  readonly required: boolean;
  /** Whether a value may stand for a secret. */
  readonly secret: boolean;
}

/** The fields of one object, or of one variant of a union. */
export interface Section {
  /** Path of the object; empty for the page's own. */
  readonly path: string;
  /** The variant, such as `kind: http`. */
  readonly variant?: string;
  readonly fields: readonly Field[];
}

interface Place {
  readonly path: string;
  readonly change: ChangeVerdict | undefined;
}

/**
 * Every object of a schema with its fields, outermost first.
 *
 * @param skip paths that are described on another page
 */
export function sectionsOf(
  schema: z.ZodType,
  rootChange: ChangeVerdict | undefined,
  skip: ReadonlySet<string> = new Set(),
): readonly Section[] {
  return walk(schema, { path: "", change: rootChange }, skip);
}

function walk(
  schema: z.ZodType,
  place: Place,
  skip: ReadonlySet<string>,
  variant?: string,
): readonly Section[] {
  if (skip.has(place.path)) return [];
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return objectSections(inner, place, skip, variant);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const key = inner.def.discriminator;
    return inner.options.flatMap((option) => {
      const branch = unwrap(option as z.ZodType) as z.ZodObject;
      const value = (branch.shape[key] as z.ZodLiteral).value;
      return walk(branch, place, skip, `${key}: ${value}`);
    });
  }
  if (inner instanceof z.ZodUnion) {
    return inner.options.flatMap((option) => walk(option as z.ZodType, place, skip));
  }
  if (inner instanceof z.ZodRecord) {
    return walk(inner.valueType as z.ZodType, { ...place, path: `${place.path}.*` }, skip);
  }
  if (inner instanceof z.ZodArray && fieldMeta(schema)?.key !== undefined) {
    return walk(inner.element as z.ZodType, { ...place, path: `${place.path}[*]` }, skip);
  }
  return [];
}

function objectSections(
  object: z.ZodObject,
  place: Place,
  skip: ReadonlySet<string>,
  variant: string | undefined,
): readonly Section[] {
  const fields = Object.entries(object.shape).map(([name, value]): Field => {
    const schema = value as z.ZodType;
    const meta = fieldMeta(schema);
    return {
      path: place.path === "" ? name : `${place.path}.${name}`,
      schema,
      meta,
      change: meta?.change ?? place.change,
      required: !schema.safeParse(undefined).success,
      secret: holdsSecret(schema),
    };
  });
  const section = { path: place.path, ...(variant === undefined ? {} : { variant }), fields };
  const below = fields.flatMap((field) =>
    walk(field.schema, { path: field.path, change: field.change }, skip),
  );
  return [section, ...below];
}

/** Whether the field itself, or a value of its map, may be written as a secret. */
function holdsSecret(schema: z.ZodType): boolean {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodRecord) return holdsSecret(inner.valueType as z.ZodType);
  if (inner instanceof z.ZodObject) return "secret" in inner.shape;
  if (!(inner instanceof z.ZodUnion)) return false;
  return inner.options.some((option) => {
    const branch = unwrap(option as z.ZodType);
    return branch instanceof z.ZodObject && "secret" in branch.shape;
  });
}
