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
    const { size } = await file.stat();
    const length = Math.max(0, Math.min(BYTES_MAX, size - offset));
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    return { bytes: buffer.subarray(0, bytesRead), nextOffset: offset + bytesRead };
  } catch (error) {
    throw fileError(error, "read file", path);
  } finally {
    await file.close();
  }
}
