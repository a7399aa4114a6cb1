import { cpSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildCli } from "../../scripts/lib/build.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const BUILT = join(ROOT, "dist/cli");

/**
 * Copies the command line as it is shipped into a folder, so that no build takes it away while it is
 * used. It is built first when it is older than its sources.
 *
 * @returns path of the program
 */
export async function copyCli(folder: string): Promise<string> {
  const main = join(BUILT, "main.js");
  const src = join(ROOT, "src");
  const changedAt = readdirSync(src, { recursive: true, encoding: "utf8" }).map(
    (name) => statSync(join(src, name)).mtimeMs,
  );
  if (!existsSync(main) || statSync(main).mtimeMs < Math.max(...changedAt)) await buildCli(ROOT);
  cpSync(BUILT, join(folder, "cli"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  return join(folder, "cli/main.js");
}
