import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };

/**
 * The folder of the package that a program is of, which npm can install from.
 *
 * @returns undefined where the program lies in none
 */
export async function packageFolder(program: string): Promise<string | undefined> {
  try {
    let folder = dirname(realpathSync(program));
    while (folder !== dirname(folder)) {
      if ((await nameIn(folder)) === packageJson.name) return folder;
      folder = dirname(folder);
    }
  } catch {
    // a program that is gone has no folder
  }
  return undefined;
}

async function nameIn(folder: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(folder, "package.json"), "utf8")).name;
  } catch {
    return undefined;
  }
}
