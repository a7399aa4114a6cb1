import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { type Extract, extract as makeExtract } from "tar-stream";
import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { verifyStream } from "../../../image/index.ts";
import { closeOf, drainOf } from "./stream-events.ts";

/** OCI's and Docker's names of a layer: a tar, plain or compressed by what the first group says. */
const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1\.tar|docker\.image\.rootfs(?:\.foreign)?\.diff\.tar)(?:[+.](gzip|zstd))?$/;

type Bytes = AsyncIterable<Uint8Array>;

/** An entry of a layer and its bytes. */
export type LayerEntry = Extract extends AsyncIterable<infer E> ? E : never;

/** Node's own from 22.15 on. */
const makeZstd = (zlib as { createZstdDecompress?: () => NodeJS.ReadWriteStream })
  .createZstdDecompress;

/** How a layer is compressed. @throws StowageError `unimplemented` when it cannot be read here */
export function layerCompression({ mediaType, digest }: BlobDescriptor): "gzip" | "zstd" | "none" {
  const match = LAYER.exec(mediaType);
  if (match === null)
    throw unreadable(digest, `the type ${mediaType}`, "build the image with plain or gzip tars");
  const compression = (match[1] ?? "none") as "gzip" | "zstd" | "none";
  if (compression === "zstd" && makeZstd === undefined)
    throw unreadable(digest, "zstd compression", "run Stowage on Node 22.15 or later");
  return compression;
}

/**
 * The entries of a layer in their order, its bytes verified against its digest and its diff id. Each
 * entry has to be read, or passed over by `resume()`, before the next.
 *
 * @throws StowageError `invalid_argument` when the bytes are not what the digests say, or no tar
 */
export async function* readLayer(
  content: Pick<ImageContent, "open">,
  layer: BlobDescriptor,
  diffId: string,
): AsyncGenerator<LayerEntry, void, undefined> {
  const stored = verifyStream(content.open(layer.digest), layer.digest, layer.size);
  const hash = createHash("sha256");
  const extract = makeExtract();
  const feeding = feed(extract, decompressed(stored, layer), hash);
  // told by the loop below, or after it
  feeding.catch(() => undefined);
  try {
    yield* extract;
  } catch (error) {
    await feeding;
    throw badTar(layer, error);
  }
  await feeding;
  const found = `sha256:${hash.digest("hex")}`;
  if (found === diffId) return;
  throw new StowageError(
    `Cannot unpack layer "${layer.digest}": its content has the digest ${found}, the image's config says ${diffId}; build the image again`,
    { code: "invalid_argument", context: { layer: layer.digest } },
  );
}

async function feed(
  extract: Extract,
  bytes: Bytes,
  hash: ReturnType<typeof createHash>,
): Promise<void> {
  const closed = closeOf(extract);
  try {
    for await (const chunk of bytes) {
      hash.update(chunk);
      if (extract.destroyed) return;
      if (!extract.write(chunk)) await drainOf(extract, closed);
    }
    extract.end(undefined);
  } catch (error) {
    extract.destroy(error as Error);
    throw error;
  }
}

async function* decompressed(
  stored: Bytes,
  layer: BlobDescriptor,
): Bytes & AsyncGenerator<Uint8Array> {
  const compression = layerCompression(layer);
  if (compression === "none") {
    yield* stored;
    return;
  }
  const unpacker =
    compression === "gzip" ? zlib.createGunzip() : (makeZstd as () => NodeJS.ReadWriteStream)();
  const feeding = pipeline(Readable.from(stored), unpacker);
  feeding.catch(() => undefined);
  try {
    yield* unpacker as unknown as AsyncIterable<Uint8Array>;
    await feeding;
  } catch (error) {
    throw badTar(layer, error);
  }
}

function badTar({ digest }: BlobDescriptor, cause: unknown): unknown {
  if (StowageError.is(cause)) return cause;
  const state = cause instanceof Error ? cause.message : String(cause);
  return new StowageError(`Cannot unpack layer "${digest}": ${state}; build the image again`, {
    code: "invalid_argument",
    cause,
    context: { layer: digest },
  });
}

function unreadable(digest: string, state: string, remedy: string): StowageError {
  return new StowageError(
    `Cannot unpack layer "${digest}": it has ${state}, which is not supported for rkt; ${remedy}`,
    { code: "unimplemented", context: { layer: digest } },
  );
}
