import { readdirSync } from "node:fs";
import { fileError, isAbsent } from "./file-error.ts";

/**
 * Paths that a pattern leads to; `*` stands for anything within one segment. What follows the last `*` need
 * not be there: to look is as much work as to open it.
 *
 * @throws StowageError `permission_denied` when a directory may not be listed: silence would read as absence
 */
export function expandPath(pattern: string): readonly string[] {
  if (!pattern.includes("*")) return [pattern];
  let bases = [""];
  const segments = pattern.split("/").slice(1);
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1;
    bases = segment.includes("*")
      ? bases.flatMap((base) => matchesIn(base, segment, last))
      : bases.map((base) => `${base}/${segment}`);
  }
  return bases;
}

function matchesIn(base: string, segment: string, last: boolean): readonly string[] {
  const parts = segment.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`, "s");
  try {
    return readdirSync(base === "" ? "/" : base, { withFileTypes: true })
      .filter((entry) => expression.test(entry.name) && (last || !entry.isFile()))
      .map((entry) => `${base}/${entry.name}`);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw fileError(error, "list directory", base);
  }
}
