import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { expect, test } from "vitest";
import { layerTar } from "../../../../scripts/lib/image-maker/layer-tar.ts";
import type { ImageContent } from "../../../engine/index.ts";
import { layOut, writeAci } from "./write-aci.ts";

const sha256 = (bytes: Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

type Files = Parameters<typeof layerTar>[0];

function content(...layers: readonly Files[]): ImageContent {
  const tars = layers.map((files) => layerTar(files));
  const blobs = new Map<string, Buffer>();
  const described = tars.map((bytes, at) => {
    const stored = at % 2 === 0 ? bytes : gzipSync(bytes);
    const digest = sha256(stored);
    blobs.set(digest, stored);
    const mediaType = `application/vnd.oci.image.layer.v1.tar${at % 2 === 0 ? "" : "+gzip"}`;
    return { mediaType, digest, size: stored.length };
  });
  const none = { mediaType: "", digest: sha256(Buffer.alloc(0)), size: 0 };
  return {
    reference: "localhost/x:1",
    manifest: none,
    config: none,
    layers: described,
    diffIds: tars.map(sha256),
    defaults: {},
    open: async function* (digest) {
      yield blobs.get(digest) ?? Buffer.alloc(0);
    },
  };
}

async function aciOf(image: ImageContent) {
  const accounts = { passwd: "", group: "" };
  const chunks: Uint8Array[] = [];
  const tree = await layOut(image, undefined);
  for await (const chunk of writeAci(image, tree, "{}", accounts)) chunks.push(chunk);
  const reader = extract();
  reader.end(Buffer.concat(chunks));
  const found = new Map<string, string>();
  for await (const entry of reader) {
    const parts: Uint8Array[] = [];
    for await (const part of entry as AsyncIterable<Uint8Array>) parts.push(part);
    const { name, type, linkname } = entry.header;
    const text = Buffer.concat(parts).toString();
    found.set(name, type === "file" ? text : type === "directory" ? "/" : `-> ${linkname}`);
  }
  return { found, accounts, digest: sha256(Buffer.concat(chunks)) };
}

const file = (text: string) => ({ content: text });

test("an ACI has the manifest first, and of each file what the topmost layer has", async () => {
  const long = `/${"deep/".repeat(40)}file`;
  const image = content(
    new Map([
      ["/etc/passwd", file("root:x:0:0::/:\n")],
      ["/gone", file("gone")],
      [long, file("deep")],
    ]),
    new Map<string, ReturnType<typeof file> | { readonly linkTo: string }>([
      ["/etc/passwd", file("app:x:7:7::/:\n")],
      ["/.wh.gone", file("")],
      ["/link", { linkTo: "etc/passwd" }],
    ]),
  );
  const { found, accounts } = await aciOf(image);
  expect([...found.keys()].slice(0, 2)).toEqual(["manifest", "rootfs/"]);
  expect(found.get("rootfs/etc/passwd")).toBe("app:x:7:7::/:\n");
  expect(found.get(`rootfs${long}`)).toBe("deep");
  expect(found.get("rootfs/link")).toBe("-> etc/passwd");
  expect(found.has("rootfs/gone")).toBe(false);
  expect(accounts.passwd).toBe("app:x:7:7::/:\n");
});

test("the same image is the same bytes, and so the same id", async () => {
  const image = content(new Map([["/a", file("a".repeat(200_000))]]));
  expect((await aciOf(image)).digest).toBe((await aciOf(image)).digest);
});

test("a layer that is not what the config says is refused", async () => {
  const image = content(new Map([["/a", file("a")]]));
  const wrong = { ...image, diffIds: [sha256(Buffer.from("other"))] };
  await expect(layOut(wrong, undefined)).rejects.toMatchObject({ code: "invalid_argument" });
});

test("a layer that ends too early, or is no tar, is refused", async () => {
  const image = content(new Map([["/a", file("a")]]));
  const cut = {
    ...image,
    open: async function* (digest: string) {
      for await (const chunk of image.open(digest)) yield chunk.subarray(0, 700);
    },
  };
  await expect(layOut(cut, undefined)).rejects.toMatchObject({ code: "invalid_argument" });
});

test("a layer of an unknown form is refused before anything is read", async () => {
  const image = content(new Map([["/a", file("a")]]));
  const [layer] = image.layers;
  const layers = [{ ...layer, mediaType: "application/x-other" } as typeof layer & object];
  await expect(layOut({ ...image, layers } as ImageContent, undefined)).rejects.toMatchObject({
    code: "unimplemented",
  });
});
