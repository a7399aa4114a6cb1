import { isAbsolute } from "node:path";
import type * as z from "zod";
import { StowageError } from "../errors/index.ts";
import { openArchiveStore } from "./archive-store.ts";
import type { ImageSource } from "./blob-source.ts";
import { blobPath, isDigest } from "./digest.ts";
import { IndexDocument, type IndexEntry, LayoutMark } from "./documents.ts";
import { type FileStore, missingFile } from "./file-store.ts";
import { openFolderStore } from "./folder-store.ts";
import { checkDocumentSize, parseDocument } from "./read-document.ts";

/** Where images are on this machine's disk: exactly one of the two, as an absolute path. */
export interface ImageSourcePath {
  /** A folder: an OCI image layout. */
  readonly layout?: string;
  /** A tar of an OCI image layout, as `docker save` (since Docker 25) and `podman save --format oci-archive` make. */
  readonly archive?: string;
}

/** How to open. */
export interface OpenImageSourceOptions {
  readonly signal?: AbortSignal;
}

/**
 * Opens a folder or an archive that holds images, and reads what it lists.
 *
 * Blobs are read only when asked for. Dispose it to close the archive.
 *
 * @throws StowageError `not_found` when nothing is at the path.
 * @throws StowageError `invalid_argument` when it is not an OCI image layout; the message says what is.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function openImageSource(
  source: ImageSourcePath,
  options: OpenImageSourceOptions = {},
): Promise<ImageSource> {
  const { layout, archive } = source;
  const path = layout ?? archive;
  if (path === undefined || (layout !== undefined && archive !== undefined)) {
    throw new StowageError("Cannot open image source: give either a layout or an archive", {
      code: "invalid_argument",
    });
  }
  if (!isAbsolute(path)) {
    throw new StowageError(`Cannot open image source "${path}": the path must be absolute`, {
      code: "invalid_argument",
    });
  }
  options.signal?.throwIfAborted();
  const store = layout === undefined ? await openArchiveStore(path) : await openFolderStore(path);
  try {
    options.signal?.throwIfAborted();
    return new StoredImages(store, await readEntries(store));
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

class StoredImages implements ImageSource {
  readonly location: string;
  readonly entries: readonly IndexEntry[];
  readonly #store: FileStore;

  constructor(store: FileStore, entries: readonly IndexEntry[]) {
    this.location = store.location;
    this.entries = entries;
    this.#store = store;
  }

  async *open(digest: string, offset = 0): AsyncGenerator<Uint8Array, void, undefined> {
    yield* this.#store.read(checkedPath(digest), offset);
  }

  async size(digest: string): Promise<number> {
    const path = checkedPath(digest);
    const size = await this.#store.size(path);
    if (size === undefined) throw missingFile(this.location, path);
    return size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

async function readEntries(store: FileStore): Promise<readonly IndexEntry[]> {
  const { location } = store;
  if ((await store.size("index.json")) === undefined) {
    throw new StowageError(`Cannot open images in "${location}": ${await whatItIs(store)}`, {
      code: "invalid_argument",
      context: { location },
    });
  }
  await readFile(store, "oci-layout", LayoutMark);
  return (await readFile(store, "index.json", IndexDocument)).manifests ?? [];
}

async function whatItIs(store: FileStore): Promise<string> {
  if ((await store.size("manifest.json")) !== undefined) {
    return `it is in Docker's older save format; convert it with skopeo copy docker-archive:${store.location} oci:FOLDER:TAG`;
  }
  return "it has no index.json, so it is not an OCI image layout; make one with skopeo copy docker://IMAGE oci:FOLDER:TAG";
}

async function readFile<T>(store: FileStore, file: string, schema: z.ZodType<T>): Promise<T> {
  const place = { location: store.location, file };
  const size = await store.size(file);
  if (size === undefined) throw missingFile(store.location, file);
  checkDocumentSize(place, size);
  const parts: Uint8Array[] = [];
  for await (const part of store.read(file, 0)) parts.push(part);
  return parseDocument(place, Buffer.concat(parts), schema);
}

function checkedPath(digest: string): string {
  if (isDigest(digest)) return blobPath(digest);
  throw new StowageError(
    `Cannot read blob ${JSON.stringify(digest)}: it is not a digest; write sha256:<64 hexadecimal digits>`,
    { code: "invalid_argument" },
  );
}
