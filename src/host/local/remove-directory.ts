import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { StowageError } from "../../errors/index.ts";
import { fileError, isAbsent, systemCode } from "./file-error.ts";

/** How long a directory is emptied again and again while others write into it. */
const EMPTY_MS = 2000;

/**
 * Removes a directory and everything below it.
 *
 * Each directory is entered through its open file (`/proc/self/fd/N/name` stands for openat(2)), so
 * that nobody can put a symbolic link in the way; its mount is known for certain by the kernel's
 * mount id, also where the same file system is mounted twice.
 *
 * @throws StowageError `failed_precondition` when something is mounted in it, or it is no directory; the
 *   rest is gone
 */
export async function removeTree(path: string, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const parent = await openDirectory(dirname(path), { follow: true }).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw fileError(error, "remove directory", path);
  });
  if (parent === undefined) return;
  try {
    await removeBelow(parent, basename(path), { mount: await mountOf(parent), path, signal });
  } finally {
    await parent.close();
  }
}

interface Place {
  readonly mount: string;
  readonly path: string;
  readonly signal: AbortSignal | undefined;
}

async function removeBelow(parent: FileHandle, name: string, place: Place): Promise<void> {
  place.signal?.throwIfAborted();
  const entry = `/proc/self/fd/${parent.fd}/${name}`;
  try {
    const directory = await openDirectory(entry, { follow: false });
    try {
      if ((await mountOf(directory)) !== place.mount) throw mounted(place.path);
      await emptyAndRemove(directory, entry, place);
    } finally {
      await directory.close();
    }
  } catch (error) {
    place.signal?.throwIfAborted();
    if (systemCode(error) === "ENOENT") return;
    throw fileError(error, "remove directory", place.path);
  }
}

/** Somebody may still be writing into it while it is emptied: what came meanwhile goes as well. */
async function emptyAndRemove(directory: FileHandle, entry: string, place: Place): Promise<void> {
  const endAt = performance.now() + EMPTY_MS;
  for (;;) {
    await empty(directory, place);
    try {
      await rmdir(entry);
      return;
    } catch (error) {
      if (systemCode(error) !== "ENOTEMPTY" || performance.now() > endAt) throw error;
    }
  }
}

async function empty(directory: FileHandle, place: Place): Promise<void> {
  const entries = await readdir(`/proc/self/fd/${directory.fd}`, { withFileTypes: true });
  for (const entry of entries) {
    const path = `${place.path}/${entry.name}`;
    if (entry.isDirectory()) {
      await removeBelow(directory, entry.name, { ...place, path });
      continue;
    }
    place.signal?.throwIfAborted();
    await unlink(`/proc/self/fd/${directory.fd}/${entry.name}`).catch((error: unknown) => {
      if (systemCode(error) === "EBUSY") throw mounted(path);
      if (!isAbsent(error)) throw fileError(error, "remove file", path);
    });
  }
}

async function openDirectory(path: string, how: { readonly follow: boolean }): Promise<FileHandle> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  return await open(path, O_RDONLY | O_DIRECTORY | (how.follow ? 0 : O_NOFOLLOW));
}

async function mountOf(directory: FileHandle): Promise<string> {
  const info = await readFile(`/proc/self/fdinfo/${directory.fd}`, "utf8");
  const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
  if (id !== undefined) return id;
  throw new StowageError("Cannot tell mounts apart: the kernel does not report mnt_id", {
    code: "unimplemented",
  });
}

/** The error of a directory that something is mounted in. */
export function mounted(path: string): StowageError {
  return new StowageError(
    `Cannot remove directory "${path}": something is mounted on it; unmount it first`,
    { code: "failed_precondition", context: { path } },
  );
}
