import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { StowageError } from "../../errors/index.ts";
import { fileError } from "./file-error.ts";

/** Writes what comes into a file from an offset on. What had come before a failure stays. */
export async function appendFile(
  path: string,
  offset: number,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      if ((await file.stat()).size < offset)
        throw Object.assign(new Error("it has fewer bytes"), { code: "EINVAL" });
      await file.truncate(offset);
      let at = offset;
      for await (const part of bytes) {
        signal?.throwIfAborted();
        await file.write(part, 0, part.byteLength, at);
        at += part.byteLength;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    // whoever gave the bytes says best why they ended
    if (StowageError.is(error)) throw error;
    throw fileError(error, "write file", path);
  }
}
