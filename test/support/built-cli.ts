import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildCli } from "../../scripts/lib/build.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * Builds the command line as it is shipped into a folder of the test's own: tests that run at once
 * do not take it from each other.
 *
 * @returns path of the program
 */
export async function buildOwnCli(folder: string): Promise<string> {
  const built = join(folder, "built");
  await buildCli(ROOT, join(built, "cli"));
  writeFileSync(join(built, "package.json"), JSON.stringify({ type: "module" }));
  return join(built, "cli/main.cjs");
}
