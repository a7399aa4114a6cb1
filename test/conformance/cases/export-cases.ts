import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { BlobDescriptor, ImageContent } from "../../../src/engine/index.ts";
import { openSim } from "../../../src/engines/sim/index.ts";
import { applied, type EngineUnderTest, nameOf, SERVER } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const ONE = { owner: "conformance", fleet: "one" };

/** Images: what is taken out for another engine of the host. */
export function exportCases({ it }: Suite): void {
  it("an exported image has the reference, the config and blobs with the digests it names", async (test) => {
    await exporting(test, test.base, async (content) => {
      expect(content.reference).toBe(test.base.reference);
      expect(content.config.digest).toBe(test.base.config.digest);
      expect(content.diffIds).toEqual(test.base.diffIds);
      expect(content.defaults.cmd).toEqual(test.base.defaults.cmd);
      for (const blob of blobsOf(content)) {
        const bytes = await readAll(content, blob.digest);
        expect(bytes.length, blob.digest).toBe(blob.size);
        expect(`sha256:${createHash("sha256").update(bytes).digest("hex")}`).toBe(blob.digest);
      }
    });
  });

  it("an exported blob is read from any offset", async (test) => {
    await exporting(test, test.base, async (content) => {
      const whole = await readAll(content, content.config.digest);
      expect(await readAll(content, content.config.digest, 7)).toEqual(whole.subarray(7));
    });
  });

  it("another engine takes an export in, with the same config digest", async (test) => {
    const { engine } = openSim({ kind: "sim" }, "other");
    await exporting(test, test.base, async (content) => {
      await engine.importImage(content, ONE);
      const { images } = await engine.observe();
      expect(images).toMatchObject([{ configDigest: test.base.config.digest }]);
    });
  });

  it("an export is taken in again where the image is gone, and its pods run", async (test) => {
    const whole = await exporting(test, test.base, inMemory);
    await test.engine.releaseImage(nameOf(test.base), test.ownership);
    expect(await test.image(test.base)).toBeUndefined();
    try {
      await test.engine.importImage(whole, test.ownership);
      const { digest } = test.base.config;
      // not every engine reports it
      expect((await test.image(whole))?.configDigest ?? digest).toBe(digest);
      if (nameOf(whole) === nameOf(test.base)) {
        const pod = await test.started({ main: SERVER });
        expect((await test.observed(pod))?.state).toBe("running");
        await test.engine.remove(pod.identity);
      } else await test.engine.releaseImage(nameOf(whole), test.ownership);
    } finally {
      await test.engine.importImage(test.base, test.ownership);
    }
  });

  it("exporting changes nothing and leaves nothing", async (test) => {
    const [traces, before] = [await test.opened.traces(), await test.engine.observe()];
    await exporting(test, test.base, inMemory);
    expect(await test.engine.observe()).toEqual(before);
    expect(await test.opened.traces()).toEqual(traces);
  });

  it("an image that the engine does not hold is not exported", async (test) => {
    expect(await test.engine.exportImage(applied(test.other))).toBeUndefined();
  });
}

async function exporting<T>(
  { engine }: EngineUnderTest,
  image: ImageContent,
  use: (content: ImageContent) => Promise<T>,
): Promise<T> {
  await using exported = await engine.exportImage(applied(image));
  if (exported === undefined) throw new Error(`The engine does not export ${image.reference}`);
  return await use(exported.content);
}

async function inMemory(content: ImageContent): Promise<ImageContent> {
  const blobs = new Map<string, Uint8Array>();
  for (const { digest } of blobsOf(content)) blobs.set(digest, await readAll(content, digest));
  return {
    ...content,
    open: async function* (digest, offset = 0) {
      yield (blobs.get(digest) as Uint8Array).subarray(offset);
    },
  };
}

function blobsOf({ index, manifest, config, layers }: ImageContent): readonly BlobDescriptor[] {
  return [...(index === undefined ? [] : [index]), manifest, config, ...layers];
}

async function readAll(content: ImageContent, digest: string, offset?: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of content.open(digest, offset)) parts.push(part);
  return Buffer.concat(parts);
}
