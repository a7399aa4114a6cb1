import type * as z from "zod";

/** A file of ours as it was found on a host. */
export type VersionedReading<T> =
  | { readonly kind: "read"; readonly value: T }
  /** Written by a newer Stowage: refused. */
  | { readonly kind: "newer"; readonly version: number }
  /** Not readable: planned without. */
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * Reads the text of a file that carries the version of its form; never throws. Older forms are
 * migrated: each version so far only added fields that may be absent.
 *
 * @param schemaOf the schema for what the text holds
 */
export function parseVersioned<S extends z.ZodType>(
  text: string,
  version: number,
  schemaOf: (json: unknown) => S,
): VersionedReading<z.output<S>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { kind: "unreadable", reason: `it is not valid JSON (${(error as Error).message})` };
  }
  const found = (json as { readonly version?: unknown } | null)?.version;
  if (typeof found === "number" && found > version) return { kind: "newer", version: found };
  const isOlder = typeof found === "number" && found >= 1 && found < version;
  const result = schemaOf(json).safeParse(isOlder ? { ...(json as object), version } : json);
  if (result.success) return { kind: "read", value: result.data };
  // written when that value was still one: it is what runs, and only the form has to be known to be read
  if (result.error.issues.every((each) => isOfValue(each, json)))
    return {
      kind: "read",
      value: (isOlder ? { ...(json as object), version } : json) as z.output<S>,
    };
  const issue = result.error.issues[0];
  const reason = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it has another form"}`;
  return { kind: "unreadable", reason };
}

/** What is wrong with a value of the right kind: rules that came later, and that a declaration alone has to keep. */
const OF_VALUES: ReadonlySet<string> = new Set([
  "too_big",
  "too_small",
  "invalid_format",
  "not_multiple_of",
  "custom",
]);

/** Of a pod as it was declared then; what leads out of a directory is none however it came there. */
function isOfValue({ code, path }: z.core.$ZodIssue, json: unknown): boolean {
  if (!OF_VALUES.has(code) || path[2] !== "spec") return false;
  let value = json;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  if (typeof value !== "string") return true;
  return (
    !/(?:^|\/)\.{1,2}(?:\/|$)|\p{Cc}/u.test(value) &&
    !(code === "invalid_format" && value.includes("/"))
  );
}
