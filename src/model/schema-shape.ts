import * as z from "zod";
import { type FieldMeta, fieldMeta, unwrap } from "./field.ts";

/** What a walk over values needs to know of a schema, looked up once. */
export interface SchemaShape {
  readonly meta: FieldMeta | undefined;
  readonly kind: "object" | "map" | "list" | "leaf";
  /** Of an object: the shape of a field; undefined for one that it does not have. */
  field(name: string): SchemaShape | undefined;
  /** Of a map or list: the shape of its items. */
  readonly items: SchemaShape | undefined;
  /** The branch of a union that a value belongs to; itself where there is no union. */
  branch(value: unknown): SchemaShape;
}

const shapes = new WeakMap<z.ZodType, SchemaShape>();

/** The shape of a schema; the same object for the same schema. */
export function shapeOf(schema: z.ZodType): SchemaShape {
  const known = shapes.get(schema);
  if (known !== undefined) return known;
  const made = makeShape(schema);
  shapes.set(schema, made);
  return made;
}

function makeShape(schema: z.ZodType): SchemaShape {
  const inner = unwrap(schema);
  const meta = fieldMeta(schema);
  if (inner instanceof z.ZodUnion) return unionShape(inner, meta);
  const fields = inner instanceof z.ZodObject ? objectFields(inner) : undefined;
  const made: SchemaShape = {
    meta,
    kind: kindOf(inner),
    field: (name) => fields?.get(name),
    items: itemsOf(inner),
    branch: () => made,
  };
  return made;
}

function kindOf(schema: z.ZodType): SchemaShape["kind"] {
  if (schema instanceof z.ZodObject) return "object";
  if (schema instanceof z.ZodRecord) return "map";
  return schema instanceof z.ZodArray ? "list" : "leaf";
}

function itemsOf(schema: z.ZodType): SchemaShape | undefined {
  if (schema instanceof z.ZodRecord) return shapeOf(schema.valueType as z.ZodType);
  return schema instanceof z.ZodArray ? shapeOf(schema.element as z.ZodType) : undefined;
}

function objectFields(schema: z.ZodObject): ReadonlyMap<string, SchemaShape> {
  const entries = Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>);
  return new Map(entries.map(([name, field]) => [name, shapeOf(field)]));
}

/** Branches are distinguished by their `kind`, or by whether the value is an object. */
function unionShape(schema: z.ZodUnion, meta: FieldMeta | undefined): SchemaShape {
  const options = (schema.options as readonly z.ZodType[]).map(unwrap);
  const shapes = options.map(shapeOf);
  const kinds = new Map(
    options.flatMap((option, index) => kindsOf(option).map((kind) => [kind, index])),
  );
  const plain = shapes.find(({ kind }) => kind !== "object");
  const object = shapes.find(({ kind }) => kind === "object");
  const branch = (value: unknown): SchemaShape => {
    const isObject = typeof value === "object" && value !== null;
    const index = isObject ? kinds.get((value as { kind?: unknown }).kind) : undefined;
    const chosen = index === undefined ? (isObject ? object : plain) : shapes[index];
    return { ...((chosen ?? shapes[0]) as SchemaShape), meta };
  };
  return { meta, kind: "leaf", field: () => undefined, items: undefined, branch };
}

function kindsOf(option: z.ZodType): readonly unknown[] {
  const kind = option instanceof z.ZodObject ? option.shape["kind"] : undefined;
  return kind instanceof z.ZodLiteral ? [...kind.values] : [];
}
