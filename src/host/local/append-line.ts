import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { fileError } from "./file-error.ts";
import { flushDirectory, makeParents } from "./write-file.ts";

const FILE_MODE = 0o600;
const LINE_END = "\n";

/** Adds a line to a file; one that would get too long is renamed to `<path>.1` first. */
export async function appendLine(path: string, line: string, maxBytes: number): Promise<void> {
  try {
    await makeParents(path);
    const text = `${line}${LINE_END}`;
    const isNew = await withOpened(path, async (file) => {
      const { size } = await file.stat();
      if (size > 0 && size + Buffer.byteLength(text) > maxBytes) return undefined;
      const isCut = size > 0 && (await lastByte(file, size)) !== LINE_END;
      await file.appendFile(isCut ? `${LINE_END}${text}` : text);
      await file.sync();
      return size === 0;
    });
    if (isNew === undefined) {
      await rename(path, `${path}.1`);
      await withOpened(path, async (file) => {
        await file.appendFile(text);
        await file.sync();
      });
    }
    if (isNew !== false) await flushDirectory(dirname(path));
  } catch (error) {
    throw fileError(error, "write file", path);
  }
}

async function withOpened<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const file = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, FILE_MODE);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function lastByte(file: FileHandle, size: number): Promise<string> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString("latin1");
}
