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

interface Archive {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly location: string;
}

/** What headers of their own say about the entry that follows them. */
interface Overrides {
  readonly name?: string;
  readonly linkName?: string;
  readonly sizeBytes?: number;
}

/**
 * Lists the regular files of a tar, without reading their contents.
 *
 * Understands ustar, GNU long names and base-256 sizes, and pax paths and sizes. Of two entries of
 * one name the last counts; a hard link counts as the file it names; other kinds are passed over.
 *
 * @throws StowageError `invalid_argument` when it is not a tar, is truncated, or holds sparse files.
 */
export async function indexTar(
  handle: FileHandle,
  sizeBytes: number,
  location: string,
): Promise<ReadonlyMap<string, TarEntry>> {
  const entries = new Map<string, TarEntry>();
  const archive: Archive = { handle, sizeBytes, location };
  let overrides: Overrides = {};
  let count = 0;
  for (let position = 0; ; ) {
    const header = await readHeader(archive, position);
    if (header === undefined) return entries;
    count += 1;
    if (count > ENTRIES_MAX) throw broken(location, position, "it has too many entries");
    const offset = position + BLOCK_BYTES;
    const place = { offset, sizeBytes: overrides.sizeBytes ?? header.sizeBytes };
    if (offset + place.sizeBytes > sizeBytes) throw broken(location, position, "it was cut short");
    if ("LKxg".includes(header.type)) {
      overrides = await readMeta(archive, overrides, header.type, place);
    } else {
      if (header.type === "S") throw broken(location, position, "it holds a sparse file");
      addEntry(entries, header, overrides, place);
      overrides = {};
    }
    position = offset + paddedBytes(place.sizeBytes);
  }
}

/** One header; nothing at the block that ends the archive. */
async function readHeader(
  { handle, location }: Archive,
  position: number,
): Promise<TarHeader | undefined> {
  const block = await readWhole(handle, position, position + BLOCK_BYTES);
  if (block.length < BLOCK_BYTES) throw broken(location, position, "it was cut short");
  const header = parseTarHeader(block);
  if (header === "invalid") throw broken(location, position, "there is no tar header");
  return header === "end" ? undefined : header;
}

async function readMeta(
  { handle, location }: Archive,
  overrides: Overrides,
  type: string,
  { offset, sizeBytes }: TarEntry,
): Promise<Overrides> {
  // what holds for all entries of an archive names none of them
  if (type === "g") return overrides;
  if (sizeBytes > META_BYTES_MAX) throw broken(location, offset, "a name is too long");
  const body = await readWhole(handle, offset, offset + sizeBytes);
  if (type === "x") return { ...overrides, ...paxOverrides(body, location, offset) };
  const name = body.toString("utf8").replace(/\0.*$/s, "");
  return { ...overrides, ...(type === "L" ? { name } : { linkName: name }) };
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

function paxOverrides(body: Buffer, location: string, offset: number): Overrides {
  const records = parsePaxRecords(body);
  const size = records?.get("size");
  if (records === undefined || (size !== undefined && !/^[0-9]{1,15}$/.test(size))) {
    throw broken(location, offset, "a pax header is malformed");
  }
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) {
    throw broken(location, offset, "it holds a sparse file");
  }
  const name = records.get("path");
  const linkName = records.get("linkpath");
  return {
    ...(name === undefined ? {} : { name }),
    ...(linkName === undefined ? {} : { linkName }),
    ...(size === undefined ? {} : { sizeBytes: Number(size) }),
  };
}

function plainName(name: string): string {
  return name.replace(/^(?:\.?\/)+/, "");
}

function broken(location: string, position: number, state: string): StowageError {
  return new StowageError(
    `Cannot read image archive "${location}": at byte ${position} ${state}; create the archive again`,
    { code: "invalid_argument", context: { location, position } },
  );
}
