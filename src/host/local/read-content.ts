import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import type { FileContent } from "../host.ts";
import { fileError, isAbsent, systemCode } from "./file-error.ts";

const BYTES_MAX = 1024 * 1024;

/** A small file with its owner and mode; undefined when it does not exist, an Error when it cannot be read. */
export function readContentSync(path: string): FileContent | Error | undefined {
  let fd: number;
  try {
    // neither a pipe nor a link that somebody put there leads us elsewhere
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
    fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    return systemCode(error) === "ELOOP" ? linkItself(path) : fileError(error, "read file", path);
  }
  try {
    const { mode, uid, gid, size } = fstatSync(fd);
    const attributes = { mode: mode & 0o7777, uid, gid };
    const isRegular = (mode & constants.S_IFMT) === constants.S_IFREG;
    if (!isRegular || size > BYTES_MAX) return attributes;
    const bytes = Buffer.alloc(size);
    const count = size === 0 ? 0 : readSync(fd, bytes, 0, size, 0);
    return { ...attributes, bytes: bytes.subarray(0, count) };
  } catch (error) {
    return fileError(error, "read file", path);
  } finally {
    closeSync(fd);
  }
}

function linkItself(path: string): FileContent | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found && { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
}
