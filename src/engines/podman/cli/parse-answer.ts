import * as z from "zod";
import { StowageError } from "../../../errors/index.ts";

/** Where an answer comes from, and what it is for. */
export interface AnswerSource {
  /** What it is for, after "Cannot": `list containers`. */
  readonly doing: string;
  /** Who gave it: `"podman ps"`. */
  readonly from: string;
}

/**
 * Reads an answer of podman's as JSON of a known form; only the fields that are read are checked.
 *
 * @throws StowageError `internal` when it is truncated, is not JSON, or has another format
 */
export function parseAnswer<T>(stdout: string, schema: z.ZodType<T>, source: AnswerSource): T {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch (error) {
    throw unreadable(source, "is not JSON", error);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? "" : ` at ${issue.path.map(String).join(".") || "its top"}`;
  throw unreadable(
    source,
    `has an unexpected format${where}: ${issue?.message ?? ""}`,
    result.error,
  );
}

function unreadable({ doing, from }: AnswerSource, why: string, cause: unknown): StowageError {
  return new StowageError(
    `Cannot ${doing}: the answer of ${from} ${why}; run it on the host, and check that this version of podman is supported`,
    { code: "internal", cause },
  );
}

/** A list that podman writes as null where it is empty. */
export function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullable()
    .transform((list) => list ?? []);
}
