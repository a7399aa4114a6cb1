import { stat } from "node:fs/promises";
import { join } from "node:path";
import { StowageError } from "../errors/index.ts";
import { type FileStore, fileError, missingFile } from "./file-store.ts";
import { openRegularFile } from "./open-regular-file.ts";
import { readRange } from "./read-range.ts";

/**
 * Opens a folder.
 *
 * A link in a blob's place is followed: its bytes are held to the blob's digest like any others.
 *
 * @throws StowageError `not_found` when it is not there, `invalid_argument` when it is no folder.
 */
export async function openFolderStore(location: string): Promise<FileStore> {
  const isFolder = await stat(location).then(
    (status) => status.isDirectory(),
    (error: unknown) => {
      throw fileError(location, error);
    },
  );
  if (isFolder) return new FolderStore(location);
  throw new StowageError(
    `Cannot open image layout "${location}": it is not a folder; give an archive as archive instead`,
    { code: "invalid_argument", context: { location } },
  );
}

class FolderStore implements FileStore {
  readonly location: string;

  constructor(location: string) {
    this.location = location;
  }

  async size(name: string): Promise<number | undefined> {
    const path = join(this.location, name);
    try {
      const status = await stat(path);
      return status.isFile() ? status.size : undefined;
    } catch (error) {
      const failure = fileError(path, error);
      if (failure.code === "not_found") return undefined;
      throw failure;
    }
  }

  async *read(name: string, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    const path = join(this.location, name);
    const file = await openRegularFile(path).catch((error: unknown) => {
      const failure = fileError(path, error);
      throw failure.code === "not_found" ? missingFile(this.location, name) : failure;
    });
    if (file === undefined) throw missingFile(this.location, name);
    try {
      yield* readRange(file.handle, offset, file.sizeBytes);
    } finally {
      await file.handle.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // files are open only while they are read
  }
}
