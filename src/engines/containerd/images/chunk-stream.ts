/** A stretch of bytes in a buffer that is used again. */
export interface Chunk {
  readonly buffer: Buffer;
  /** Where the bytes begin; what is before them is free for a head. */
  readonly start: number;
  readonly end: number;
}

/** How a stream is cut. */
export interface ChunkOptions {
  /** Bytes of each chunk but the last one. */
  readonly bytes: number;
  /** Bytes that are left free before them. */
  readonly headroom: number;
  /** Chunks that may be in use at once: a chunk's buffer is filled again for the one that many after it. */
  readonly inUse: number;
}

/** Passes bytes on in chunks of one size, the last one of what is left; a few buffers serve the whole stream. */
export async function* chunkStream(
  source: AsyncIterable<Uint8Array>,
  { bytes, headroom, inUse }: ChunkOptions,
): AsyncGenerator<Chunk, void, undefined> {
  const buffers: Buffer[] = [];
  const full = headroom + bytes;
  let nth = 0;
  let end = headroom;
  for await (let part of source) {
    while (part.byteLength > 0) {
      buffers[nth % inUse] ??= Buffer.allocUnsafe(full);
      const buffer = buffers[nth % inUse] as Buffer;
      const taken = part.subarray(0, full - end);
      buffer.set(taken, end);
      end += taken.byteLength;
      part = part.subarray(taken.byteLength);
      if (end < full) continue;
      yield { buffer, start: headroom, end };
      nth += 1;
      end = headroom;
    }
  }
  if (end > headroom) yield { buffer: buffers[nth % inUse] as Buffer, start: headroom, end };
}
