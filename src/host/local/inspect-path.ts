import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import type { FileEntry } from "../host.ts";
import { fileError, isAbsent } from "./file-error.ts";

/** What lies at a path of this machine; undefined when nothing does. */
export async function inspectPath(path: string): Promise<FileEntry | undefined> {
  try {
    const found = await lstat(path);
    const { size } = found;
    if (found.isSymbolicLink()) return { kind: "symlink", size, target: await readlink(path) };
    return { kind: kindOf(found), size };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fileError(error, "look at", path);
  }
}

function kindOf(found: Stats): Exclude<FileEntry["kind"], "symlink"> {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  if (found.isSocket()) return "socket";
  // overlayfs marks what a layer deletes by a character device 0:0
  return found.isCharacterDevice() && found.rdev === 0 ? "whiteout" : "other";
}
