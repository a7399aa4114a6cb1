import { type FileHandle, open } from "node:fs/promises";
import type { FileStretch } from "../host.ts";
import { fileError, isAbsent } from "./file-error.ts";

const BYTES_MAX = 1024 * 1024;

/** Reads a file from an offset on; undefined when there is no such file. */
export async function readStretch(path: string, offset: number): Promise<FileStretch | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fileError(error, "read file", path);
  }
  try {
    const { dev, ino, birthtimeNs, size } = await file.stat({ bigint: true });
    const length = Math.max(0, Math.min(BYTES_MAX, Number(size) - offset));
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    return {
      bytes: buffer.subarray(0, bytesRead),
      nextOffset: offset + bytesRead,
      // an inode's number alone is given to a new file as soon as the old one is gone
      fileId: `${dev}:${ino}:${birthtimeNs}`,
    };
  } catch (error) {
    throw fileError(error, "read file", path);
  } finally {
    await file.close();
  }
}
