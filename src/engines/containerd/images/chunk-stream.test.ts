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
])("parts of %j bytes become chunks of %j", async (sizes, expected) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunkStream(parts(...sizes), 4)) chunks.push(chunk);
  expect(chunks.map(({ byteLength }) => byteLength)).toEqual(expected);
  const total = expected.reduce((sum, size) => sum + size, 0);
  expect([...Buffer.concat(chunks)]).toEqual(Array.from({ length: total }, (_, at) => at % 256));
});
