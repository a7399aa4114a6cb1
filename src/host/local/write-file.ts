import { randomBytes } from "node:crypto";
import { constants, renameSync } from "node:fs";
import {
  chmod,
  chown,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  rename,
  rmdir,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StowageError } from "../../errors/index.ts";
import type { FileAttributes } from "../host.ts";
import { fileError, isAbsent, systemCode } from "./file-error.ts";

/** The whole text of a file, or its bytes as they come. */
type FileContent = string | Uint8Array | AsyncIterable<Uint8Array>;

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** What leads others to a file of ours is theirs to read. */
const LINK_DIRECTORY_MODE = 0o755;

/**
 * Replaces a file in one instant. What a killed writer left beside it is overwritten by the next.
 * The signal is asked before each thing that is done: the process may have slept until now, and
 * somebody else may be writing. Whoever has to stop removes what it left, and only that.
 */
export async function replaceFile(
  path: string,
  content: FileContent,
  signal: AbortSignal | undefined,
  attributes?: FileAttributes,
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await makeParents(path);
    signal?.throwIfAborted();
    // a new inode: a writer that was asleep since before must not write into ours
    await unlinkIfThere(temporary);
    signal?.throwIfAborted();
    await writeNew(temporary, content, async (file) => {
      if (attributes !== undefined) await giveAttributes(file, attributes);
      signal?.throwIfAborted();
      // nothing between: whoever is stopped there would write when it continues
      renameSync(temporary, path);
    });
    await flushDirectory(dirname(path));
  } catch (error) {
    signal?.throwIfAborted();
    // whoever gave the bytes says best why they ended
    if (StowageError.is(error)) throw error;
    throw fileError(error, "write file", path);
  }
}

/** Makes a file with its whole text in one instant. @returns false when it exists */
export async function createWhole(path: string, text: string): Promise<boolean> {
  const temporary = temporaryPath(path, `.${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    await makeParents(path);
    await writeNew(temporary, text, () => link(temporary, path));
    await unlinkIfThere(temporary);
    await flushDirectory(dirname(path));
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw fileError(error, "create file", path);
  }
}

/** Makes a symbolic link, or replaces what is at its place, in one instant. */
export async function linkFile(path: string, target: string): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await makeParents(path, LINK_DIRECTORY_MODE);
    await unlinkIfThere(temporary);
    await symlink(target, temporary);
    await rename(temporary, path);
    await flushDirectory(dirname(path));
  } catch (error) {
    throw fileError(error, "make link", path);
  }
}

/** Removes a file, and what a killed writer of it left. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlinkIfThere(temporaryPath(path));
    await unlinkIfThere(path);
  } catch (error) {
    throw fileError(error, "remove file", path);
  }
}

/** One system call, where Node's `rm` is several and a look before. */
async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/**
 * Makes a directory with its owner and mode; it appears under its name only when it has both. Those
 * above it are made 0700.
 */
export async function makeDirectory(
  path: string,
  attributes: { readonly mode: number; readonly uid?: number; readonly gid?: number },
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    if (await isDirectory(path)) return;
    await makeParents(path);
    const { mode, uid, gid } = attributes;
    if (mode === DIRECTORY_MODE && uid === undefined && gid === undefined) {
      // it is whole from its first moment: nothing that a kill could leave beside it
      await mkdir(path, { mode, recursive: true });
      return;
    }
    await rmdir(temporary).catch((error: unknown) => {
      if (!isAbsent(error)) throw error;
    });
    await mkdir(temporary, DIRECTORY_MODE);
    if (uid !== undefined || gid !== undefined) await chown(temporary, uid ?? -1, gid ?? -1);
    await chmod(temporary, mode);
    await rename(temporary, path);
    await flushDirectory(dirname(path));
  } catch (error) {
    throw fileError(error, "make directory", path);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return true;
    throw Object.assign(new Error("it is not a directory"), { code: "ENOTDIR" });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** A file in the way of a directory is not the file that was to be made. */
export async function makeParents(path: string, mode = DIRECTORY_MODE): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    throw Object.assign(new Error("not a directory", { cause: error }), { code: "ENOTDIR" });
  }
}

/** Where a file is written before it has its place; what a killed writer left there goes with its next write or removal. */
export function temporaryPath(path: string, unique = ""): string {
  return join(dirname(path), `.${basename(path)}${unique}.tmp`);
}

/** Final name of a file that a killed writer left under this one; undefined for any other name. */
export function nameOfTemporary(name: string): string | undefined {
  return /^\.(.+)\.tmp$/.exec(name)?.[1];
}

/** Makes a file and gives it its place; when that fails nothing is left of it. */
async function writeNew(
  path: string,
  content: FileContent,
  place: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
  try {
    await writeFile(file, content);
    await file.sync();
    await place(file);
  } catch (error) {
    await removeOwn(path, file);
    throw error;
  } finally {
    await file.close();
  }
}

/** Owner before mode: a change of owner takes bits off the mode. */
async function giveAttributes(file: FileHandle, { mode, uid, gid }: FileAttributes): Promise<void> {
  const own = await file.stat();
  const isOwn = (uid ?? own.uid) === own.uid && (gid ?? own.gid) === own.gid;
  if (!isOwn) await file.chown(uid ?? own.uid, gid ?? own.gid);
  await file.chmod(mode);
}

/** Removes a file by its name unless that is another one's by now; while it is open its inode is no other's. */
async function removeOwn(path: string, file: FileHandle): Promise<void> {
  const own = await file.stat({ bigint: true });
  const found = await lstat(path, { bigint: true }).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
    return undefined;
  });
  if (found?.ino === own.ino) await unlinkIfThere(path);
}

export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
