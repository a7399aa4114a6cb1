import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { MarkdownPage } from "./markdown.ts";

/** The folder of the project. */
export const PROJECT_ROOT = resolve(import.meta.dirname, "../../..");

/** Pages of the project that are named, and all below folders that are. */
export function pages(...paths: readonly string[]): readonly MarkdownPage[] {
  return paths
    .flatMap((path) => (path.endsWith(".md") ? [path] : pagesBelow(path)))
    .map((path) => ({ path, text: readFileSync(join(PROJECT_ROOT, path), "utf8") }));
}

function pagesBelow(folder: string): readonly string[] {
  return readdirSync(join(PROJECT_ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => join(folder, path))
    .sort();
}
