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
    return { kind: "unreadable", reason: `it is not JSON (${(error as Error).message})` };
  }
  const found = (json as { readonly version?: unknown } | null)?.version;
  if (typeof found === "number" && found > version) return { kind: "newer", version: found };
  const isOlder = typeof found === "number" && found >= 1 && found < version;
  const result = schemaOf(json).safeParse(isOlder ? { ...(json as object), version } : json);
  if (result.success) return { kind: "read", value: result.data };
  const issue = result.error.issues[0];
  const reason = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it has another form"}`;
  return { kind: "unreadable", reason };
}
