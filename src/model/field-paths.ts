import * as z from "zod";
import { fieldMeta, unwrap } from "./field.ts";

/** Every field of a schema by its path in it: `containers.*.env.*`, `ports[*].host`; a union is one field. */
export function fieldPathsOf(schema: z.ZodType): readonly string[] {
  return below(schema, "");
}

function below(schema: z.ZodType, path: string): readonly string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    const fields = Object.entries(inner.shape as Readonly<Record<string, z.ZodType>>);
    return fields.flatMap(([name, field]) => below(field, path === "" ? name : `${path}.${name}`));
  }
  if (inner instanceof z.ZodRecord) return below(inner.valueType as z.ZodType, `${path}.*`);
  if (inner instanceof z.ZodArray && fieldMeta(schema)?.key !== undefined) {
    return below(inner.element as z.ZodType, `${path}[*]`);
  }
  return [path];
}
