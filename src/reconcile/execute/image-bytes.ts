import type { ImageContent } from "../../engine/index.ts";
import type { Pace } from "../../internal/index.ts";

/** Told of an image while it is brought. */
export interface ImageHooks {
  /** How many bytes of it have come. */
  onBytes(bytes: number, ofBytes: number | undefined): void;
  /** Something that is worth a word, and no failure. */
  onNote(text: string): void;
}

/** Shortest time between two reports of bytes. */
const REPORT_MS = 250;
/** Bytes that are let pass at once where there is a rate. */
const PACED_BYTES = 64 * 1024;

/** The same image, telling of its bytes as they are read. */
export function counted(
  content: ImageContent,
  sizeBytes: number | undefined,
  { onBytes }: ImageHooks,
): ImageContent {
  let bytes = 0;
  let toldAt = performance.now();
  async function* count(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const part of parts) {
      bytes += part.byteLength;
      yield part;
      if (performance.now() - toldAt < REPORT_MS) continue;
      toldAt = performance.now();
      onBytes(bytes, sizeBytes);
    }
  }
  const { registry } = content;
  const told = registry && { ...registry, onBytes: (come: number) => onBytes(come, sizeBytes) };
  return {
    ...content,
    ...(told === undefined ? {} : { registry: told }),
    open: (digest, offset) => count(content.open(digest, offset)),
  };
}

/** The same image, its bytes no faster than its host is to get them. */
export function paced(
  content: ImageContent,
  pace: Pace,
  signal: AbortSignal | undefined,
): ImageContent {
  async function* slow(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const part of parts) {
      for (let at = 0; at < part.byteLength; at += PACED_BYTES) {
        const piece = part.subarray(at, at + PACED_BYTES);
        await pace(piece.byteLength, signal);
        yield piece;
      }
    }
  }
  return { ...content, open: (digest, offset) => slow(content.open(digest, offset)) };
}
