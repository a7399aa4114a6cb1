import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifyStream } from "./verify-stream.ts";

const digestOf = (bytes: Uint8Array, algorithm = "sha256") =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;

async function drain(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

describe("verifyStream()", () => {
  test("passes on every byte of a blob that is right, however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async (chunks) => {
        const whole = Buffer.concat(chunks);
        const stream = verifyStream(chunks, digestOf(whole), whole.length);
        expect(await drain(stream)).toEqual(whole);
      }),
    );
  });

  test("knows sha512", async () => {
    const bytes = Buffer.from("stowage");
    expect(await drain(verifyStream([bytes], digestOf(bytes, "sha512"), 7))).toEqual(bytes);
  });

  test("fails at the end when a byte differs", async () => {
    const stream = verifyStream(
      [Buffer.from("a"), Buffer.from("c")],
      digestOf(Buffer.from("ab")),
      2,
    );
    await expect(drain(stream)).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(`its bytes have the digest ${digestOf(Buffer.from("ac"))}`),
    });
  });

  test("fails when bytes are missing", async () => {
    const stream = verifyStream([Buffer.from("a")], digestOf(Buffer.from("ab")), 2);
    await expect(drain(stream)).rejects.toThrow("it has 1 of the 2 bytes declared");
  });

  test("does not pass on the chunk that goes too far, and reads no further", async () => {
    let produced = 0;
    async function* endless() {
      for (;;) {
        produced += 1;
        yield Buffer.from("ab");
      }
    }
    const seen: string[] = [];
    const reading = async () => {
      for await (const part of verifyStream(endless(), digestOf(Buffer.from("abab")), 4)) {
        seen.push(Buffer.from(part).toString());
      }
    };
    await expect(reading()).rejects.toThrow("it has more than the 4 bytes declared");
    expect(seen).toEqual(["ab", "ab"]);
    expect(produced).toBe(3);
  });
});
