import { createHash } from "node:crypto";
import { StowageError } from "../errors/index.ts";

/**
 * Passes chunks on while it counts and hashes them.
 *
 * What was passed on is proven only when the stream ends without an error. A chunk that goes beyond
 * `size` is not passed on.
 *
 * @throws StowageError `invalid_argument` when the bytes are more or fewer than `size`, or have
 *   another digest.
 */
export async function* verifyStream(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  digest: string,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const algorithm = digest.slice(0, digest.indexOf(":"));
  const hash = createHash(algorithm);
  let count = 0;
  for await (const chunk of chunks) {
    count += chunk.byteLength;
    if (count > size) throw mismatch(digest, `it has more than the ${size} bytes declared`);
    hash.update(chunk);
    yield chunk;
  }
  if (count < size) throw mismatch(digest, `it has ${count} of the ${size} bytes declared`);
  const actual = `${algorithm}:${hash.digest("hex")}`;
  if (actual !== digest) throw mismatch(digest, `its bytes have the digest ${actual}`);
}

function mismatch(digest: string, state: string): StowageError {
  return new StowageError(
    `Cannot verify blob "${digest}": ${state}; copy the image again from its source`,
    { code: "invalid_argument", context: { digest } },
  );
}
