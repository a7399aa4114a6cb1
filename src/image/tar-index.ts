import type { FileHandle } from "node:fs/promises";
import { StowageError } from "../errors/index.ts";
import { readWhole } from "./read-range.ts";
import { paddedBytes, parsePaxRecords, parseTarHeader, type TarHeader } from "./tar-header.ts";

/** Where the bytes of one file are in an archive. */
export interface TarEntry {
  readonly offset: number;
  readonly sizeBytes: number;
}

const BLOCK_BYTES = 512;
const ENTRIES_MAX = 100_000;
/** Long names and pax headers, all that is read into memory. */
const META_BYTES_MAX = 1024 * 1024;

/** What headers of their own say about the entry that follows them. */
interface Overrides {
  name?: string;
  linkName?: string;
  sizeBytes?: number;
}

/**
 * Lists the regular files of a tar, without reading their contents.
 *
 * Understands ustar, GNU long names and base-256 sizes, and pax paths and sizes. Of two entries of
 * one name the last counts; a hard link counts as the file it names; other kinds are passed over.
 *
 * @throws StowageError `invalid_argument` when it is no tar, is cut short, or holds sparse files.
 */
export async function indexTar(
  handle: FileHandle,
  sizeBytes: number,
  location: string,
): Promise<ReadonlyMap<string, TarEntry>> {
  const entries = new Map<string, TarEntry>();
  let overrides: Overrides = {};
  let count = 0;
  for (let position = 0; ; ) {
    const block = await readWhole(handle, position, position + BLOCK_BYTES);
    if (block.length < BLOCK_BYTES) throw broken(location, position, "it was cut short");
    const header = parseTarHeader(block);
    if (header === "end") return entries;
    count += 1;
    if (header === "invalid" || count > ENTRIES_MAX) {
      const state = header === "invalid" ? "there is no tar header" : "it has too many entries";
      throw broken(location, position, state);
    }
    const body = position + BLOCK_BYTES;
    const size = overrides.sizeBytes ?? header.sizeBytes;
    if (body + size > sizeBytes) throw broken(location, position, "it was cut short");
    if ("LKxg".includes(header.type)) {
      if (size > META_BYTES_MAX) throw broken(location, position, "its name is too long");
      const meta = await readWhole(handle, body, body + size);
      if (header.type !== "g") overrides = mergeMeta(overrides, header.type, meta, location, position);
    } else {
      if (header.type === "S") throw broken(location, position, "it holds a sparse file");
      addEntry(entries, header, overrides, { offset: body, sizeBytes: size });
      overrides = {};
    }
    position = body + paddedBytes(size);
  }
}

function addEntry(
  entries: Map<string, TarEntry>,
  header: TarHeader,
  overrides: Overrides,
  place: TarEntry,
): void {
  const name = plainName(overrides.name ?? header.name);
  const linked =
    header.type === "1" ? entries.get(plainName(overrides.linkName ?? header.linkName)) : undefined;
  if (header.type === "0" || header.type === "7") entries.set(name, place);
  else if (linked !== undefined) entries.set(name, linked);
  else entries.delete(name);
}

function mergeMeta(
  overrides: Overrides,
  type: string,
  body: Buffer,
  location: string,
  position: number,
): Overrides {
  if (type !== "x") {
    const name = body.toString("utf8").replace(/\0.*$/s, "");
    return { ...overrides, ...(type === "L" ? { name } : { linkName: name }) };
  }
  const records = parsePaxRecords(body);
  if (records === undefined) throw broken(location, position, "its pax header is malformed");
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) {
    throw broken(location, position, "it holds a sparse file");
  }
  const name = records.get("path");
  const linkName = records.get("linkpath");
  const size = records.get("size");
  const sizeBytes = size === undefined ? undefined : /^[0-9]+$/.test(size) ? Number(size) : -1;
  if (sizeBytes !== undefined && (sizeBytes < 0 || !Number.isSafeInteger(sizeBytes))) {
    throw broken(location, position, "its pax header is malformed");
  }
  return {
    ...overrides,
    ...(name === undefined ? {} : { name }),
    ...(linkName === undefined ? {} : { linkName }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

function plainName(name: string): string {
  return name.replace(/^(?:\.?\/)+/, "");
}

function broken(location: string, position: number, state: string): StowageError {
  return new StowageError(
    `Cannot read image archive "${location}": at byte ${position} ${state}; make the archive again`,
    { code: "invalid_argument", context: { location, position } },
  );
}
