import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { ImageContent } from "../../../src/engine/index.ts";
import { applied, nameOf, SERVER } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const ONE = { owner: "conformance", fleet: "one" };
const TWO = { owner: "conformance", fleet: "two" };
/** Another owner's fleet of the same name. */
const STRANGER = { owner: "stranger", fleet: "one" };

/** Images: what comes in, and who uses it. */
export function imageCases({ it }: Suite): void {
  it("an imported image is reported with its digests, size and fleet", async (test) => {
    const image = await test.image(test.base);
    expect(image).toMatchObject({
      digest: test.base.manifest.digest,
      fleets: [`${test.ownership.owner}/${test.ownership.fleet}`],
      inUse: false,
    });
    expect(image?.sizeBytes ?? 1).toBeGreaterThan(0);
  });

  it("how an image has its processes run is told; of one that is not there nothing is", async (test) => {
    const said = await test.engine.imageDefaults(applied(test.base));
    const { env = [], entrypoint, cmd, user = "" } = test.base.defaults;
    expect(said.env).toEqual(expect.arrayContaining([...env]));
    expect([said.entrypoint, said.cmd, said.user ?? ""]).toEqual([entrypoint, cmd, user]);
    const absent = test.engine.imageDefaults(applied(test.other));
    await expect(absent).rejects.toMatchObject({ code: "not_found" });
  });

  it("importing an image again changes nothing", async (test) => {
    const before = await test.image(test.base);
    await test.engine.importImage(test.base, test.ownership);
    expect(await test.image(test.base)).toEqual(before);
  });

  it("bytes that are not what their digest says are refused, and nothing is left", async (test) => {
    const traces = await test.opened.traces();
    const wrong = withBytes(test.other, (bytes) => bytes.map((byte) => byte ^ 1));
    const importing = test.engine.importImage(wrong, ONE);
    await expect(importing).rejects.toMatchObject({ code: "invalid_argument" });
    expect(await test.image(test.other)).toBeUndefined();
    expect((await test.engine.observe()).leftovers).toEqual([]);
    expect(await test.opened.traces()).toEqual(traces);
  });

  it("bytes that end too early are refused, and the right ones are taken afterwards", async (test) => {
    const short = withBytes(test.other, (bytes) => bytes.subarray(0, bytes.length - 1));
    const importing = test.engine.importImage(short, ONE);
    await expect(importing).rejects.toMatchObject({ code: "invalid_argument" });
    await test.engine.importImage(test.other, ONE);
    expect(await test.image(test.other)).toMatchObject({ digest: test.other.manifest.digest });
    await test.engine.releaseImage(nameOf(test.other), ONE);
  });

  it("images that share their layers are imported at once", async (test) => {
    const both = ["one", "two"].map((tag) => ({
      ...unhurried(test.other),
      reference: `${test.other.reference.replace(/:[^/:]*$/, "")}:${tag}`,
    }));
    await Promise.all(both.map((image) => test.engine.importImage(image, ONE)));
    for (const image of both) {
      expect(await test.image(image)).toMatchObject({ digest: test.other.manifest.digest });
      await test.engine.releaseImage(nameOf(image), ONE);
      expect(await test.image(image)).toBeUndefined();
    }
  });

  it("an image belongs to each fleet that claimed it, and goes with the last", async (test) => {
    const name = nameOf(test.other);
    await test.engine.importImage(test.other, ONE);
    await test.engine.claimImage(applied(test.other), TWO);
    await test.engine.claimImage(applied(test.other), STRANGER);
    const fleets = ["conformance/one", "conformance/two", "stranger/one"];
    expect([...((await test.image(test.other))?.fleets ?? [])].sort()).toEqual(fleets);
    await test.engine.releaseImage(name, ONE);
    await test.engine.releaseImage(name, ONE);
    expect([...((await test.image(test.other))?.fleets ?? [])].sort()).toEqual(fleets.slice(1));
    await test.engine.releaseImage(name, TWO);
    await test.engine.releaseImage(name, STRANGER);
    expect(await test.image(test.other)).toBeUndefined();
  });

  it("claiming an image that is not there is not_found", async (test) => {
    const claiming = test.engine.claimImage(applied(test.other), ONE);
    await expect(claiming).rejects.toMatchObject({ code: "not_found" });
  });

  it("releasing an image that is not there does nothing", async (test) => {
    await test.engine.releaseImage(nameOf(test.other), ONE);
    expect(await test.image(test.other)).toBeUndefined();
  });

  it("an image in use stays when its last fleet releases it, and goes later", async (test) => {
    const pod = await test.prepared({ main: SERVER });
    try {
      await test.engine.releaseImage(nameOf(test.base), test.ownership);
      expect(await test.image(test.base)).toMatchObject({ fleets: [], inUse: true });
      await test.engine.start(pod);
      expect((await test.observed(pod))?.state).toBe("running");
      await test.engine.remove(pod.identity);
      await test.engine.releaseImage(nameOf(test.base), test.ownership);
      expect(await test.image(test.base)).toBeUndefined();
    } finally {
      await test.engine.importImage(test.base, test.ownership);
    }
  });
}

/** The same, whose bytes come slowly enough for two imports to be at one of them. */
function unhurried(content: ImageContent): ImageContent {
  return {
    ...content,
    open: async function* (digest, offset) {
      await delay(50);
      yield* content.open(digest, offset);
    },
  };
}

function withBytes(content: ImageContent, change: (bytes: Uint8Array) => Uint8Array): ImageContent {
  // The topmost layer: those below may be in the engine already, with another image.
  const spoilt = content.layers.at(-1)?.digest;
  return {
    ...content,
    open: async function* (digest, offset) {
      if (digest !== spoilt) {
        yield* content.open(digest, offset);
        return;
      }
      const parts: Uint8Array[] = [];
      for await (const part of content.open(digest)) parts.push(part);
      yield change(Buffer.concat(parts)).subarray(offset ?? 0);
    },
  };
}
