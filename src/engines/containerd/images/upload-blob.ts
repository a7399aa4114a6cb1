import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Content, WriteAction } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import type { BidiCall } from "../client/bidi-call.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { isBadCommit, isLockedRef, isWrongOffset } from "../client/rpc-error.ts";
import { chunkStream } from "./chunk-stream.ts";
import { encodeWrite, WRITE_HEADROOM } from "./encode-write.ts";
import type { Labels } from "./gc-labels.ts";

/** Chunks on their way without an answer. */
const CHUNKS_IN_FLIGHT = 4;
/** The daemon's messages end at 16 MiB. With larger ones the collector of garbage takes as long as the rest. */
const CHUNKS = { bytes: 512 * 1024, headroom: WRITE_HEADROOM, inUse: CHUNKS_IN_FLIGHT };
/** How long another client may keep a blob to itself, and how long without writing any of it. */
const LOCKED_FOR_MS = 15 * 60 * 1000;
const IDLE_FOR_MS = 5000;
const FIRST_PAUSE_MS = 64;
const LAST_PAUSE_MS = 2048;

/** One blob to bring into the content store. */
export interface BlobUpload {
  readonly blob: BlobDescriptor;
  /** Name of its ingest; with containerd's own names (`layer-<digest>`) clients share and resume. */
  readonly ref: string;
  /** Put on the blob when it is written here; a blob that was there keeps what it has. */
  readonly labels: Labels;
}

type WriteCall = BidiCall<typeof Content.method.write.input, typeof Content.method.write.output>;

/**
 * Brings one blob into the content store, and under the client's lease.
 *
 * A blob that is there is not read; one that another namespace has is taken over without reading it; an
 * ingest that somebody left is continued. The daemon verifies all of it before it is committed: hashing the
 * bytes here as well would take a third of the time that this process needs. A bad blob leaves no ingest behind. An ingest that
 * another client holds and does not write is not waited for: the blob is written beside it.
 *
 * @returns whether it was there already, without our labels perhaps
 * @throws StowageError `invalid_argument` when the bytes are not what the digest says
 * @throws StowageError `aborted` when another client writes the same blob for too long
 */
export async function uploadBlob(
  client: ContainerdClient,
  content: Pick<ImageContent, "open">,
  upload: BlobUpload,
  signal?: AbortSignal,
): Promise<"written" | "present"> {
  let at = upload;
  const wait = new Wait(client, upload.ref);
  let mayStartOver = true;
  for (;;) {
    const error = await uploadOnce(client, content, at, signal).then(() => undefined, asError);
    if (error === undefined) return "written";
    if (StowageError.is(error, "already_exists")) return "present";
    if (isBadCommit(error)) {
      // else every later try would continue the bad bytes
      await abortIngest(client, at.ref);
      // the bytes may be an earlier writer's: the next ones are all ours
      if (!mayStartOver) throw badBlob(upload.blob, error);
      mayStartOver = false;
      continue;
    }
    if (await wait.isInVain(error, signal))
      at = { ...upload, ref: `${upload.ref}-${randomUUID()}` };
    else await wait.pause(error, signal);
  }
}

/** The time given to another client that has an ingest. */
class Wait {
  readonly #client: ContainerdClient;
  readonly #ref: string;
  readonly #giveUpAt = performance.now() + LOCKED_FOR_MS;
  #pauseMs = FIRST_PAUSE_MS;
  #offset: bigint | undefined;
  #since = performance.now();

  constructor(client: ContainerdClient, ref: string) {
    this.#client = client;
    this.#ref = ref;
  }

  /** Whether the ingest has not grown for a while, or is not even there: its client may be long dead. */
  async isInVain(error: unknown, signal: AbortSignal | undefined): Promise<boolean> {
    if (!isLockedRef(error)) return false;
    const offset = await ingestOffset(this.#client, this.#ref, signal);
    if (offset !== this.#offset) [this.#offset, this.#since] = [offset, performance.now()];
    return performance.now() - this.#since > IDLE_FOR_MS;
  }

  /** Waits a little, longer each time. @throws the error itself when waiting does not help it, or did not */
  async pause(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    const helps = isLockedRef(error) || isWrongOffset(error);
    if (!helps || performance.now() > this.#giveUpAt) throw error;
    try {
      const options = signal === undefined ? {} : { signal };
      await sleep(Math.random() * this.#pauseMs, undefined, options);
    } catch (reason) {
      signal?.throwIfAborted();
      throw reason;
    }
    this.#pauseMs = Math.min(2 * this.#pauseMs, LAST_PAUSE_MS);
  }
}

async function ingestOffset(
  client: ContainerdClient,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<bigint | undefined> {
  const options = { doing: `read ingest "${ref}"`, signal };
  const filters = [`ref==${JSON.stringify(ref)}`];
  try {
    const { statuses } = await client.unary(Content.method.listStatuses, { filters }, options);
    return statuses[0]?.offset;
  } catch (error) {
    // so it is while one is made or dropped, and for good where that was interrupted
    if (StowageError.is(error, "not_found")) return undefined;
    throw error;
  }
}

function asError(error: unknown): unknown {
  return (
    error ?? new StowageError("Cannot write blob: it failed without a reason", { code: "internal" })
  );
}

async function uploadOnce(
  client: ContainerdClient,
  content: Pick<ImageContent, "open">,
  { blob, ref, labels }: BlobUpload,
  signal: AbortSignal | undefined,
): Promise<void> {
  const total = BigInt(blob.size);
  const common = { ref, total, expected: blob.digest };
  await using call: WriteCall = client.bidi(Content.method.write, {
    doing: `write blob "${blob.digest}"`,
    signal,
  });
  await call.send({ ...common, action: WriteAction.STAT });
  const { offset } = await call.receive();
  if (offset < total) {
    try {
      await sendBytes(call, content, blob, Number(offset), signal);
    } catch (error) {
      if (StowageError.is(error, "invalid_argument")) {
        await call.finish();
        await abortIngest(client, ref);
      }
      throw error;
    }
  }
  // all there already: another namespace has the blob, or a writer died just before its commit
  try {
    await call.send({ ...common, action: WriteAction.COMMIT, offset: total, labels });
    await call.receive();
  } catch (error) {
    if (offset > 0n || !isBadCommit(error)) throw error;
    // all of it came from here, and would be the same again
    await abortIngest(client, ref);
    throw badBlob(blob, error);
  }
}

async function sendBytes(
  call: WriteCall,
  content: Pick<ImageContent, "open">,
  blob: BlobDescriptor,
  from: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bytes = bounded(content.open(blob.digest, from), blob, from);
  let offset = from;
  let unanswered = 0;
  // a chunk whose answer has come is on its way no more: its buffer takes the next one
  for await (const chunk of chunkStream(bytes, CHUNKS)) {
    signal?.throwIfAborted();
    await call.sendEncoded(encodeWrite(chunk, offset));
    offset += chunk.end - chunk.start;
    unanswered += 1;
    if (unanswered < CHUNKS_IN_FLIGHT) continue;
    await call.receive();
    unanswered -= 1;
  }
  for (; unanswered > 0; unanswered -= 1) await call.receive();
}

/** A blob from an offset on, not more and not less; its digest is left to the daemon's commit. */
async function* bounded(
  source: AsyncIterable<Uint8Array>,
  blob: BlobDescriptor,
  from: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let count = from;
  for await (const part of source) {
    count += part.byteLength;
    if (count > blob.size) break;
    yield part;
  }
  if (count === blob.size) return;
  const state = count > blob.size ? `more than the ${blob.size}` : `${count} of the ${blob.size}`;
  throw new StowageError(
    `Cannot write blob "${blob.digest}": its source has ${state} bytes declared; copy the image again from its source`,
    { code: "invalid_argument", context: { digest: blob.digest } },
  );
}

/** Not bound to the caller's signal: it undoes what was begun. */
async function abortIngest(client: ContainerdClient, ref: string): Promise<void> {
  try {
    await client.unary(Content.method.abort, { ref }, { doing: `drop ingest "${ref}"` });
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
}

function badBlob(blob: BlobDescriptor, cause: unknown): StowageError {
  return new StowageError(
    `Cannot write blob "${blob.digest}": its bytes have another digest or size; copy the image again from its source`,
    { code: "invalid_argument", cause, context: { digest: blob.digest } },
  );
}
