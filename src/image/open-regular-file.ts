import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** An open file and its size. */
export interface RegularFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

/** Opens a file for reading; nothing is returned when it is not a regular file. */
export async function openRegularFile(path: string): Promise<RegularFile | undefined> {
  // without O_NONBLOCK a FIFO put in a blob's place would hang the open
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (status.isFile()) return { handle, sizeBytes: status.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}
