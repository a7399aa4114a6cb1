import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXAMPLE_FILES } from "./quickstart-folder.ts";

/** Path of the file from the example's folder. */
export const SHELL_SETTINGS = ".stowage/env";

/** Writes a file for a shell to read, after which `stowage` is what the quickstart ran. */
export function writeShellSettings(main: string, env: Readonly<Record<string, string>>): void {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`);
  const command = `stowage() { ${quoted(process.execPath)} ${quoted(main)} "$@"; }`;
  mkdirSync(EXAMPLE_FILES, { recursive: true });
  writeFileSync(join(EXAMPLE_FILES, "env"), `${[...exports, command].join("\n")}\n`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
