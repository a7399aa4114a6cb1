import { expect, test } from "vitest";
import { chunkStream } from "./chunk-stream.ts";

async function* parts(...sizes: number[]): AsyncGenerator<Uint8Array> {
  let next = 0;
  for (const size of sizes) yield Uint8Array.from({ length: size }, () => next++ % 256);
}

test.each([
  [[], []],
  [[0], []],
  [[3], [3]],
  [[4], [4]],
  [[10], [4, 4, 2]],
  [
    [1, 1, 1, 1, 1],
    [4, 1],
  ],
  [
    [3, 6, 0, 3],
    [4, 4, 4],
  ],
  [[29], [4, 4, 4, 4, 4, 4, 4, 1]],
])("parts of %j bytes become chunks of %j", async (sizes, expected) => {
  const chunks: Buffer[] = [];
  const buffers = new Set<Buffer>();
  const options = { bytes: 4, headroom: 3, inUse: 2 };
  for await (const { buffer, start, end } of chunkStream(parts(...sizes), options)) {
    expect(start).toBe(3);
    buffers.add(buffer);
    chunks.push(Buffer.from(buffer.subarray(start, end)));
  }
  expect(buffers.size).toBe(Math.min(2, expected.length));
  expect(chunks.map(({ byteLength }) => byteLength)).toEqual(expected);
  const total = expected.reduce((sum, size) => sum + size, 0);
  expect([...Buffer.concat(chunks)]).toEqual(Array.from({ length: total }, (_, at) => at % 256));
});

test("as many chunks as may be in use keep their bytes", async () => {
  const chunks = chunkStream(parts(20), { bytes: 4, headroom: 0, inUse: 3 });
  const seen: Buffer[] = [];
  for (let nth = 0; nth < 3; nth += 1) {
    const { value } = await chunks.next();
    seen.push(value?.buffer.subarray(value.start, value.end) as Buffer);
  }
  expect(seen.map(([first]) => first)).toEqual([0, 4, 8]);
});
