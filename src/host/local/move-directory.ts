import type { Stats } from "node:fs";
import { lstat, mkdir, readlink, rename, symlink, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { StowageError } from "../../errors/index.ts";
import { fileError, isAbsent } from "./file-error.ts";

/** Renames a directory and leaves a symbolic link to the new name at the old one. */
export async function moveDirectory(from: string, to: string): Promise<void> {
  try {
    const [source, target] = [await entryAt(from), await entryAt(to)];
    // killed between its two halves
    if (source === undefined && target?.isDirectory() === true) return await symlink(to, from);
    if (source === undefined || source.isSymbolicLink()) return;
    const isWayBack = target?.isSymbolicLink() === true && (await readlink(to)) === from;
    if (isWayBack) await unlink(to);
    else if (target !== undefined) {
      throw new StowageError(`Cannot move directory "${from}" to "${to}": both exist`, {
        code: "already_exists",
        context: { from, to },
      });
    }
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await rename(from, to);
    await symlink(to, from);
  } catch (error) {
    throw fileError(error, "move directory", from);
  }
}

async function entryAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
