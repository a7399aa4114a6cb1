/** Passes bytes on in chunks of exactly `chunkBytes`, the last one of what is left. */
export async function* chunkStream(
  source: AsyncIterable<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (let part of source) {
    while (heldBytes + part.byteLength >= chunkBytes) {
      const taken = part.subarray(0, chunkBytes - heldBytes);
      yield held.length === 0 ? taken : Buffer.concat([...held, taken]);
      held = [];
      heldBytes = 0;
      part = part.subarray(taken.byteLength);
    }
    if (part.byteLength === 0) continue;
    held.push(part);
    heldBytes += part.byteLength;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}
