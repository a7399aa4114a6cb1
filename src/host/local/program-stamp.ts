import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";

const ELF = "\x7fELF";

/**
 * What distinguishes the file of a program from any other that was in its place; undefined without a file, and for a script.
 *
 * @param searchPath directories that a name is looked for in, with colons between them
 */
export function programStamp(program: string, searchPath: string): string | undefined {
  const folders = searchPath.split(":").filter(isAbsolute);
  const paths = program.includes("/") ? [program] : folders.map((folder) => join(folder, program));
  for (const path of paths) {
    try {
      const stat = statSync(path);
      if (!stat.isFile()) continue;
      accessSync(path, constants.X_OK);
      const times = [stat.mtimeMs, stat.ctimeMs].map((ms) => Math.floor(ms / 1_000));
      return isElf(path) ? [path, stat.dev, stat.ino, stat.size, ...times].join(":") : undefined;
    } catch {
      // the next one is run then, as by a shell
    }
  }
  return undefined;
}

function isElf(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(ELF.length);
    readSync(file, bytes, 0, bytes.length, 0);
    return bytes.toString("latin1") === ELF;
  } finally {
    closeSync(file);
  }
}
