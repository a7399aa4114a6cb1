import fc from "fast-check";
import { z } from "zod";
import {
  FileSpec,
  fieldMeta,
  SECRET_SOURCES,
  SecretSource,
  unwrap,
} from "../../src/model/index.ts";

/** Fields of which a valid declaration gives exactly one: a rule of fleets, and in no schema. */
const ONE_OF = new Map<object, readonly string[]>([
  [SecretSource.shape, SECRET_SOURCES],
  [FileSpec.shape, ["content", "base64", "secret"]],
]);

/** Any value of a schema: a field that is added to the model is tested from then on. */
export function arbitraryOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  return build(schema).filter((value) => schema.safeParse(value).success);
}

function build(schema: z.ZodType): fc.Arbitrary<unknown> {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return objectOf(inner);
  if (inner instanceof z.ZodRecord) {
    const keys = build(inner.keyType as z.ZodType) as fc.Arbitrary<string>;
    return fc.dictionary(keys, build(inner.valueType as z.ZodType), { maxKeys: 3, minKeys: 1 });
  }
  if (inner instanceof z.ZodArray) return arrayOf(schema, inner);
  if (inner instanceof z.ZodUnion) return fc.oneof(...(inner.options as z.ZodType[]).map(build));
  if (inner instanceof z.ZodEnum) return fc.constantFrom(...(inner.options as string[]));
  if (inner instanceof z.ZodLiteral) return fc.constantFrom(...[...inner.values]);
  if (inner instanceof z.ZodBoolean) return fc.boolean();
  if (inner instanceof z.ZodNumber) return numberOf(inner);
  if (inner instanceof z.ZodString) return stringOf(inner);
  throw new Error(`no values are known for a schema of type ${inner.def.type}`);
}

function objectOf(schema: z.ZodObject): fc.Arbitrary<unknown> {
  const shape = schema.shape as Readonly<Record<string, z.ZodType>>;
  const entries = Object.entries(shape).map(([key, each]) => [key, build(each)] as const);
  const requiredKeys = Object.keys(shape).filter((key) => !(shape[key] instanceof z.ZodOptional));
  const withKeys = (keys: readonly string[], others: readonly string[]) =>
    fc.record(Object.fromEntries(entries.filter(([key]) => !others.includes(key))), {
      requiredKeys: [...requiredKeys, ...keys],
    });
  const choices = ONE_OF.get(shape);
  if (choices === undefined) return withKeys([], []);
  return fc.oneof(
    ...choices.map((key) =>
      withKeys(
        [key],
        choices.filter((each) => each !== key),
      ),
    ),
  );
}

function arrayOf(schema: z.ZodType, array: z.ZodArray): fc.Arbitrary<unknown> {
  const key = fieldMeta(schema)?.key;
  const items = build(array.element as z.ZodType);
  const range = { minLength: 1, maxLength: 3 };
  return key === undefined
    ? fc.uniqueArray(items, range)
    : fc.uniqueArray(items as fc.Arbitrary<Record<string, unknown>>, { ...range, selector: key });
}

function numberOf(schema: z.ZodNumber): fc.Arbitrary<number> {
  const min = Math.max(schema.minValue ?? -1000, -(2 ** 40));
  const max = Math.min(schema.maxValue ?? 2 ** 40, 2 ** 40);
  return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
}

const WORDS = [
  ...["app:1", "app:2", "ghcr.io/acme/shop:1.8.2", "/a", "/a/b", "/srv/data", "web", "db", "a-1"],
  ...["SIGTERM", "SIGINT", "CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN", "0755", "0700", "rw", "r"],
  ...["0-2", "0,3", "a b", "${HOME}", "%{x}", "ä→ü", "__proto__x", "1", "app.name", "x_y"],
];

/** Words that the schema takes; where there is none, anything that its pattern matches. */
function stringOf(schema: z.ZodString): fc.Arbitrary<string> {
  const fitting = WORDS.filter((word) => schema.safeParse(word).success);
  if (fitting.length > 1) return fc.constantFrom(...fitting);
  const patterns = (schema.def.checks ?? []).flatMap((check) => {
    const { pattern } = check._zod.def as { readonly pattern?: RegExp };
    return pattern === undefined ? [] : [pattern];
  });
  const [pattern] = patterns;
  return pattern === undefined ? fc.constantFrom(...fitting) : fc.stringMatching(pattern);
}
