import * as z from "zod";
import type { Diagnostic } from "../errors/index.ts";
import { closestWord } from "./closest-word.ts";
import { unwrap } from "./field.ts";
import { discriminatorValues, pathText, schemaAt, type ValuePath, valueAt } from "./schema-path.ts";

type Issue = z.core.$ZodIssue;

interface Place {
  readonly schema: z.ZodType;
  readonly value: unknown;
}

/**
 * Everything in which a value differs from the shape of a schema, each with its place and, where
 * there is one, the remedy. Empty when it fits.
 */
export function shapeDiagnostics(schema: z.ZodType, value: unknown): readonly Diagnostic[] {
  const { error } = schema.safeParse(value);
  return (error?.issues ?? []).flatMap((issue) => explain(issue, { schema, value }));
}

function explain(issue: Issue, place: Place): readonly Diagnostic[] {
  const path = pathText(issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownField([...issue.path, key], place));
    case "invalid_key":
      return [
        ...issue.issues.map(({ message }) => mistake(path, `its name ${message}`)),
        ...valueUnderBadKey(issue.path, place),
      ];
    case "invalid_union":
      return unionMistakes(issue, place);
    case "invalid_type":
      return [wrongType(issue, path, valueAt(place.value, issue.path))];
    case "invalid_value":
      return [wrongValue(issue.values.map(String), path, valueAt(place.value, issue.path))];
    case "too_small":
      return [mistake(path, bound(issue.origin, "at least", issue.minimum, issue.inclusive))];
    case "too_big":
      return [mistake(path, bound(issue.origin, "at most", issue.maximum, issue.inclusive))];
    default:
      return [mistake(path, issue.message)];
  }
}

function unknownField(path: ValuePath, { schema, value }: Place): Diagnostic {
  const holder = schemaAt(schema, value, path.slice(0, -1));
  const known = fieldsOf(holder);
  const name = String(path.at(-1));
  const meant = closestWord(name, known);
  const remedy =
    meant === undefined ? `its fields are ${known.join(", ")}` : `did you mean "${meant}"?`;
  return mistake(pathText(path), `unknown field "${name}"`, remedy);
}

function fieldsOf(schema: z.ZodType | undefined): readonly string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  const keys = schema instanceof z.ZodRecord ? schema.keyType : undefined;
  return keys instanceof z.ZodEnum ? keys.options.map(String) : [];
}

/** A record's value is not read when its key is refused: it may have mistakes of its own. */
function valueUnderBadKey(path: ValuePath, { schema, value }: Place): readonly Diagnostic[] {
  const record = schemaAt(schema, value, path.slice(0, -1));
  if (!(record instanceof z.ZodRecord)) return [];
  const below = shapeDiagnostics(record.valueType as z.ZodType, valueAt(value, path));
  return below.map((each) => {
    const joint = each.path === "" || each.path.startsWith("[") ? "" : ".";
    return { ...each, path: `${pathText(path)}${joint}${each.path}` };
  });
}

function unionMistakes(
  issue: Extract<Issue, { code: "invalid_union" }>,
  { schema, value }: Place,
): readonly Diagnostic[] {
  const path = pathText(issue.path);
  const given = valueAt(value, issue.path);
  const holder = rawSchemaAt(schema, value, issue.path.slice(0, -1));
  if (holder instanceof z.ZodDiscriminatedUnion) {
    return [wrongValue(discriminatorValues(holder), path, given)];
  }
  // the branch of the same kind as what was given says what is wrong with it
  const [, near] = issue.errors
    .map((issues): [number, readonly Issue[]] => [depth(issues), issues])
    .sort(([left], [right]) => right - left)[0] ?? [0, []];
  if (given === null || typeof given !== "object" || depth(near) === 0) {
    const kinds = issue.errors
      .flat()
      .flatMap((each) => ("expected" in each ? [each.expected] : []));
    return [mistake(path, `must be ${kinds.map(withArticle).join(" or ")}, not ${kindOf(given)}`)];
  }
  return near.flatMap((each) =>
    explain({ ...each, path: [...issue.path, ...each.path] } as Issue, { schema, value }),
  );
}

/** The schema at a path before its branch is chosen. */
function rawSchemaAt(schema: z.ZodType, value: unknown, path: ValuePath): z.ZodType | undefined {
  const step = path.at(-1);
  if (step === undefined) return unwrap(schema);
  const holder = schemaAt(schema, value, path.slice(0, -1));
  if (holder instanceof z.ZodObject) {
    const inner = holder.shape[String(step)] as z.ZodType | undefined;
    return inner === undefined ? undefined : unwrap(inner);
  }
  if (holder instanceof z.ZodRecord) return unwrap(holder.valueType as z.ZodType);
  return holder instanceof z.ZodArray ? unwrap(holder.element as z.ZodType) : undefined;
}

function depth(issues: readonly Issue[]): number {
  return Math.max(
    0,
    ...issues.map(({ path, code }) => path.length + (code === "unrecognized_keys" ? 1 : 0)),
  );
}

function wrongType(
  issue: Extract<Issue, { code: "invalid_type" }>,
  path: string,
  given: unknown,
): Diagnostic {
  const wanted = withArticle(issue.expected);
  if (given === undefined) return mistake(path, "is missing", `it must be ${wanted}`);
  return mistake(path, `must be ${wanted}, not ${kindOf(given)}`);
}

function wrongValue(allowed: readonly string[], path: string, given: unknown): Diagnostic {
  const wanted =
    allowed.length === 1 ? `must be "${allowed[0]}"` : `must be one of ${allowed.join(", ")}`;
  if (given === undefined) return mistake(path, "is missing", `it ${wanted}`);
  const guess = typeof given === "string" && allowed.length > 1;
  const meant = guess ? closestWord(given, allowed) : undefined;
  return mistake(path, wanted, meant === undefined ? undefined : `did you mean "${meant}"?`);
}

function bound(origin: string, words: string, limit: number | bigint, inclusive?: boolean): string {
  const one = { string: " character", array: " item", record: " entry" }[origin] ?? "";
  const noun = one === "" || Number(limit) === 1 ? one : `${one.replace(/y$/, "ie")}s`;
  const strict = words === "at least" ? "more than" : "less than";
  return `must ${noun === "" ? "be" : "have"} ${inclusive === false ? strict : words} ${limit}${noun}`;
}

const ARTICLES: Readonly<Record<string, string>> = {
  int: "a whole number",
  array: "a list",
  object: "an object",
  record: "an object",
  string: "a text",
  boolean: "true or false",
};

function withArticle(kind: string): string {
  return ARTICLES[kind] ?? `a ${kind}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : String(value);
  return withArticle(Array.isArray(value) ? "array" : typeof value);
}

function mistake(path: string, summary: string, detail?: string): Diagnostic {
  return { severity: "error", summary, ...(detail === undefined ? {} : { detail }), path };
}
