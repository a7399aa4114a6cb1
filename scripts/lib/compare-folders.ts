import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One file by which two folders differ. */
export interface FileDifference {
  readonly path: string;
  readonly state: "missing" | "stale" | "unexpected";
}

/** How `actual` differs from `expected`, by content; a folder that is absent is empty. */
export function compareFolders(expected: string, actual: string): FileDifference[] {
  const wanted = filesBelow(expected);
  const held = new Set(filesBelow(actual));
  const differences = wanted.flatMap((path): FileDifference[] => {
    if (!held.delete(path)) return [{ path, state: "missing" }];
    const same = readFileSync(join(expected, path)).equals(readFileSync(join(actual, path)));
    return same ? [] : [{ path, state: "stale" }];
  });
  return [...differences, ...[...held].map((path) => ({ path, state: "unexpected" as const }))];
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
