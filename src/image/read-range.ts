import type { FileHandle } from "node:fs/promises";

/** Chunks that containerd's content store writes fastest, measured. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Bytes `start` up to `end` (not included) of a file, in chunks of at most 1 MiB.
 *
 * It ends early, without an error, where the file does. Several may read one handle at once.
 */
export async function* readRange(
  handle: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = start; position < end; ) {
    const wanted = Math.min(CHUNK_BYTES, end - position);
    const { bytesRead, buffer } = await handle.read(
      Buffer.allocUnsafe(wanted),
      0,
      wanted,
      position,
    );
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The bytes of {@link readRange} in one piece. */
export async function readWhole(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of readRange(handle, start, end)) parts.push(part);
  return Buffer.concat(parts);
}
