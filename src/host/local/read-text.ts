import { closeSync, constants, openSync, readSync } from "node:fs";
import { StowageError } from "../../errors/index.ts";
import { fileError, isAbsent } from "./file-error.ts";

const BYTES_MAX = 16 * 1024 * 1024;

const chunk = Buffer.allocUnsafe(64 * 1024);

/**
 * Text of a small file; undefined when it does not exist, an Error when it cannot be read.
 *
 * Synchronous: thousands of cgroup files are read in a fraction of the time that as many turns of
 * the thread pool take. It does not trust the size that the kernel says of them, which is 0.
 */
export function readTextSync(path: string): string | Error | undefined {
  let fd: number;
  try {
    // a pipe must not hold us up
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return isAbsent(error) ? undefined : fileError(error, "read file", path);
  }
  try {
    return readAll(fd, path);
  } catch (error) {
    // what a removed cgroup's open file answers
    if ((error as NodeJS.ErrnoException).code === "ENODEV") return undefined;
    return fileError(error, "read file", path);
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number, path: string): string {
  const parts: Buffer[] = [];
  let [filled, total] = [0, 0];
  for (;;) {
    const count = readSync(fd, chunk, filled, chunk.length - filled, null);
    if (count === 0) break;
    filled += count;
    total += count;
    if (total > BYTES_MAX) {
      throw new StowageError(`Cannot read file "${path}": it is larger than ${BYTES_MAX} bytes`, {
        code: "resource_exhausted",
        context: { path },
      });
    }
    if (filled < chunk.length) continue;
    parts.push(Buffer.from(chunk));
    filled = 0;
  }
  if (parts.length === 0) return chunk.toString("utf8", 0, filled);
  return Buffer.concat([...parts, chunk.subarray(0, filled)]).toString("utf8");
}
