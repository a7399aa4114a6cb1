import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where Debian keeps system binaries; an ordinary user's PATH lacks the sbin folders. */
const SYSTEM_FOLDERS = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
];

/** PATH as the user has it, with the system's folders after it. */
export function searchPath(env: Environment = process.env): string {
  const given = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...new Set([...given, ...SYSTEM_FOLDERS])].join(delimiter);
}

/** The first executable file of that name on {@link searchPath}, or undefined; a path is looked for as it is. */
export function findOnPath(name: string, env: Environment = process.env): string | undefined {
  if (name.startsWith("/")) return isExecutableFile(name) ? name : undefined;
  return searchPath(env)
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutableFile);
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
