import { StowageError } from "../../errors/index.ts";
import type { FileAttributes, FileContent } from "../../host/index.ts";
import { entriesOf, followLinks, makeParents, matching } from "./machine-files.ts";
import type { MachineState, SimFile } from "./machine-state.ts";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

const MOUNTS_FILE = "/proc/self/mountinfo";
/** What a reboot empties is in memory. */
const MOUNTS = `1 0 0:1 / / rw - ext4 /dev/sim rw
2 1 0:2 / /run rw - tmpfs tmpfs rw
`;

/** Replaces a file of the machine. */
export function putFile(state: MachineState, path: string, text: string): void {
  prepareFile(state, path);
  state.files[path] = { text, mode: FILE_MODE };
}

/** Adds a line to a file of the machine; one that would get too long is put aside first. */
export function putLine(state: MachineState, path: string, line: string, maxBytes: number): void {
  const found = state.files[path];
  const isFull = found !== undefined && found.text.length + line.length + 1 > maxBytes;
  if (isFull) state.files[`${path}.1`] = found;
  putFile(state, path, `${isFull ? "" : (found?.text ?? "")}${line}\n`);
}

/** Replaces a file of the machine by bytes, with its owner and mode. */
export function putContent(
  state: MachineState,
  path: string,
  bytes: Uint8Array,
  attributes: FileAttributes,
): void {
  prepareFile(state, path);
  const text = Buffer.from(bytes).toString("utf8");
  const base64 = Buffer.from(text).equals(bytes)
    ? {}
    : { base64: Buffer.from(bytes).toString("base64") };
  state.files[path] = { text, ...base64, ...attributes };
}

function prepareFile(state: MachineState, path: string): void {
  if (state.directories[path] !== undefined) {
    throw new StowageError(`Cannot write file "${path}": it is a directory`, {
      code: "failed_precondition",
      context: { path },
    });
  }
  makeParents(state, path, DIRECTORY_MODE);
}

/** Files that patterns mean, with their owners and modes. */
export function readContents(
  state: MachineState,
  patterns: readonly string[],
): Map<string, FileContent | Error> {
  return mapFiles(state, patterns, ({ text, base64, mode, uid = 0, gid = 0, unreadable }) => {
    if (unreadable !== undefined) return new Error(unreadable);
    const bytes = base64 === undefined ? Buffer.from(text) : Buffer.from(base64, "base64");
    return { bytes, mode, uid, gid };
  });
}

/** Texts of the files that patterns mean. */
export function readFiles(
  state: MachineState,
  patterns: readonly string[],
): Map<string, string | Error> {
  const found = mapFiles(state, patterns, ({ text, unreadable }) =>
    unreadable === undefined ? text : new Error(unreadable),
  );
  for (const path of patterns.flatMap((pattern) => matching(state.directories, pattern))) {
    found.set(path, new Error("it is a directory"));
  }
  if (patterns.includes(MOUNTS_FILE)) found.set(MOUNTS_FILE, MOUNTS);
  return found;
}

/** Entries of directories. */
export function listEntries(
  state: MachineState,
  paths: readonly string[],
): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const path of paths) {
    const entries = entriesOf(state, followLinks(state, path));
    if (entries !== undefined) found.set(path, entries);
  }
  return found;
}

function mapFiles<T>(
  state: MachineState,
  patterns: readonly string[],
  read: (file: SimFile) => T,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const pattern of patterns) {
    const followed = followLinks(state, pattern);
    for (const path of matching(state.files, followed)) {
      const file = state.files[path];
      if (file === undefined) continue;
      found.set(followed === pattern ? path : namedAs(pattern, path), read(file));
    }
  }
  return found;
}

// A file found through a link keeps the name by which it was asked for.
function namedAs(pattern: string, path: string): string {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern;
  const asked = pattern.split("/");
  const found = path.split("/").slice(-asked.length + 1);
  return asked
    .map((part, at) => (part.includes("*") ? (found.at(at - asked.length) ?? part) : part))
    .join("/");
}
