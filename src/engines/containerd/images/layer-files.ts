import { constants } from "node:fs";
import { lstat, open, readlink } from "node:fs/promises";
import { StowageError } from "../../../errors/index.ts";

/** What lies at a path of one layer's folder; symbolic links are not followed. */
export type LayerEntry =
  | { readonly kind: "file" | "directory" | "whiteout" | "other" }
  | { readonly kind: "symlink"; readonly target: string };

/** Access to the folders that layers are unpacked in, which lie on the engine's host. */
export interface LayerFiles {
  /** Undefined when nothing is there. */
  inspect(path: string): Promise<LayerEntry | undefined>;
  /** Text of a regular file. @throws StowageError `resource_exhausted` when it has more than `maxBytes` */
  read(path: string, maxBytes: number): Promise<string>;
}

/** Folders on this machine; needs the right to read them, which is root's. */
export const localLayerFiles: LayerFiles = {
  async inspect(path) {
    const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw cannotRead(path, error);
    });
    if (found === undefined) return undefined;
    if (found.isFile()) return { kind: "file" };
    if (found.isDirectory()) return { kind: "directory" };
    if (found.isSymbolicLink()) return { kind: "symlink", target: await readlink(path) };
    // overlayfs marks what a layer deletes by a character device 0:0
    if (found.isCharacterDevice() && found.rdev === 0) return { kind: "whiteout" };
    return { kind: "other" };
  },

  async read(path, maxBytes) {
    try {
      await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      const { size } = await file.stat();
      if (size > maxBytes) {
        throw new StowageError(
          `Cannot read file "${path}": it has ${size} bytes, ${maxBytes} are allowed`,
          {
            code: "resource_exhausted",
          },
        );
      }
      return await file.readFile("utf8");
    } catch (error) {
      throw cannotRead(path, error);
    }
  },
};

function cannotRead(path: string, error: unknown): StowageError {
  const denied =
    error instanceof Error &&
    "code" in error &&
    (error.code === "EACCES" || error.code === "EPERM");
  return StowageError.from(
    error,
    `Cannot read file "${path}" of an image`,
    denied ? "permission_denied" : "internal",
  );
}
