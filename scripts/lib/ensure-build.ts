import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.ts";

/** Everything that the built program is made of. */
const SOURCES = [
  "src",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/lib/build.ts",
];

/**
 * Builds dist/ unless it was built from the sources that are here now.
 *
 * @returns whether it had to
 */
export async function ensureBuild(root: string, beforeBuild: () => void): Promise<boolean> {
  const stamp = join(root, "dist/.sources");
  const digest = digestOfSources(root);
  const isFresh = existsSync(stamp) && readFileSync(stamp, "utf8").trim() === digest;
  if (isFresh && existsSync(join(root, "dist/cli/main.cjs"))) return false;
  beforeBuild();
  await build(root);
  // the build removes dist/, and this with it: who built last and wrote no stamp is not trusted
  writeFileSync(stamp, `${digest}\n`);
  return true;
}

function digestOfSources(root: string): string {
  const hash = createHash("sha256");
  for (const path of SOURCES.flatMap((each) => filesAt(root, each))) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesAt(root: string, path: string): readonly string[] {
  const absolute = join(root, path);
  if (!existsSync(absolute)) return [];
  if (statSync(absolute).isFile()) return [path];
  return readdirSync(absolute, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((name) => statSync(join(root, name)).isFile())
    .toSorted();
}
