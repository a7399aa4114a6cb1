import * as z from "zod";
import { unwrap } from "./field.ts";

/** Names and list positions that lead to a place in a value. */
export type ValuePath = readonly PropertyKey[];

/** A path as people read it: `hosts.edge-a.pods.web.ports[0]`, `images["ghcr.io/acme/shop:1.8.2"]`. */
export function pathText(path: ValuePath, below = ""): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    const name = String(step);
    if (!/^[A-Za-z0-9_-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === "" ? name : `${text}.${name}`;
  }, below);
}

/** What lies at a path of a value; undefined where the path ends early. */
export function valueAt(value: unknown, path: ValuePath): unknown {
  return path.reduce<unknown>(
    (inner, step) =>
      inner !== null && typeof inner === "object"
        ? (inner as Readonly<Record<PropertyKey, unknown>>)[step]
        : undefined,
    value,
  );
}

/** The schema of a place in a value, unwrapped; of a union, the branch that the value means to be. */
export function schemaAt(
  schema: z.ZodType,
  value: unknown,
  path: ValuePath,
): z.ZodType | undefined {
  const meant = branchOf(unwrap(schema), value);
  const [step, ...rest] = path;
  if (step === undefined || meant === undefined) return meant;
  const next = stepInto(meant, step);
  return next === undefined ? undefined : schemaAt(next, valueAt(value, [step]), rest);
}

function stepInto(schema: z.ZodType, step: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(step)] as z.ZodType | undefined;
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType;
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return undefined;
}

function branchOf(schema: z.ZodType, value: unknown): z.ZodType | undefined {
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const key = schema.def.discriminator;
    const given = valueAt(value, [key]);
    return branches(schema).find((branch) => literalOf(branch, key) === given);
  }
  if (!(schema instanceof z.ZodUnion)) return schema;
  const wantsObject = value !== null && typeof value === "object";
  return branches(schema).find((branch) => branch instanceof z.ZodObject === wantsObject);
}

/** The values that a union's discriminator may have. */
export function discriminatorValues(union: z.ZodDiscriminatedUnion): readonly string[] {
  return branches(union).map((branch) => String(literalOf(branch, union.def.discriminator)));
}

function branches(union: z.ZodUnion): readonly z.ZodType[] {
  return union.options.map((option) => unwrap(option as z.ZodType));
}

function literalOf(branch: z.ZodType, key: string): unknown {
  const literal = branch instanceof z.ZodObject ? branch.shape[key] : undefined;
  return literal instanceof z.ZodLiteral ? literal.value : undefined;
}
