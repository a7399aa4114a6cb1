import type { FileHandle } from "node:fs/promises";
import { StowageError } from "../errors/index.ts";
import { type FileStore, fileError, missingFile } from "./file-store.ts";
import { openRegularFile } from "./open-regular-file.ts";
import { readRange, readWhole } from "./read-range.ts";
import { indexTar, type TarEntry } from "./tar-index.ts";

const COMPRESSIONS: readonly { name: string; magic: string; unpack: string }[] = [
  { name: "gzip", magic: "1f8b", unpack: "gunzip" },
  { name: "zstd", magic: "28b52ffd", unpack: "unzstd" },
  { name: "bzip2", magic: "425a68", unpack: "bunzip2" },
  { name: "xz", magic: "fd377a585a00", unpack: "unxz" },
];

/**
 * Opens a tar and reads its directory once; contents are read from their places when asked for.
 *
 * @throws StowageError `not_found` when it is not there.
 * @throws StowageError `invalid_argument` when it is not a tar, is compressed as a whole, or is truncated.
 */
export async function openArchiveStore(location: string): Promise<FileStore> {
  const file = await openRegularFile(location).catch((error: unknown) => {
    throw fileError(location, error);
  });
  if (file === undefined) {
    throw refusal(location, "it is not a file; give a folder as layout instead");
  }
  const { handle, sizeBytes } = file;
  try {
    const start = (await readWhole(handle, 0, 6)).toString("hex");
    const compression = COMPRESSIONS.find(({ magic }) => start.startsWith(magic));
    if (compression !== undefined) {
      const { name, unpack } = compression;
      throw refusal(location, `it is compressed with ${name}; unpack it first with ${unpack}`);
    }
    return new ArchiveStore(location, handle, await indexTar(handle, sizeBytes, location));
  } catch (error) {
    await handle.close();
    throw StowageError.is(error) ? error : fileError(location, error);
  }
}

class ArchiveStore implements FileStore {
  readonly location: string;
  readonly #handle: FileHandle;
  readonly #entries: ReadonlyMap<string, TarEntry>;

  constructor(location: string, handle: FileHandle, entries: ReadonlyMap<string, TarEntry>) {
    this.location = location;
    this.#handle = handle;
    this.#entries = entries;
  }

  async size(name: string): Promise<number | undefined> {
    return this.#entries.get(name)?.sizeBytes;
  }

  async *read(name: string, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw missingFile(this.location, name);
    yield* readRange(this.#handle, entry.offset + offset, entry.offset + entry.sizeBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

function refusal(location: string, state: string): StowageError {
  return new StowageError(`Cannot open image archive "${location}": ${state}`, {
    code: "invalid_argument",
    context: { location },
  });
}
