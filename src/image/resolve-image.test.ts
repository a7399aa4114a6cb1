import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  archiveLayout,
  hasZstd,
  type MadeImage,
  type MakeImageOptions,
  makeImage,
} from "../../scripts/lib/make-image.ts";
import { openImageSource } from "./open-image-source.ts";
import type { Platform } from "./platform.ts";
import { type ResolveImageOptions, resolveImage } from "./resolve-image.ts";

const OCI = "application/vnd.oci.image";
const AMD64 = { os: "linux", architecture: "amd64" };
const ARM64 = { os: "linux", architecture: "arm64" };
const NOWHERE = { os: "unknown", architecture: "unknown" };
const NO_DIGEST = `sha256:${"0".repeat(64)}`;

let folder: string;
let layout: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stowage-resolve-"));
  layout = join(folder, "layout");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const make = (options: Partial<MakeImageOptions> = {}): MadeImage =>
  makeImage({
    out: layout,
    reference: "shop:1",
    files: new Map([["/greeting", { content: "hello" }]]),
    platforms: [AMD64],
    ...options,
  });

const blobFile = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
const readJson = (digest: string) => JSON.parse(readFileSync(blobFile(digest), "utf8"));

function put(mediaType: string, document: unknown): Descriptor {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  writeFileSync(blobFile(digest), bytes);
  return { mediaType, digest, size: bytes.length };
}

function setIndex(...manifests: readonly object[]): void {
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}

/** Puts a manifest changed in one way, with its config changed in another, alone into the layout. */
function setManifest(image: MadeImage, change: object, configChange: object = {}): Descriptor {
  const config = put(image.config.mediaType, { ...readJson(image.config.digest), ...configChange });
  const manifest = readJson(image.manifests[0]?.digest ?? "");
  const made = put(`${OCI}.manifest.v1+json`, { ...manifest, config, ...change });
  setIndex(made);
  return made;
}

const named = (descriptor: object, name: string, key = "org.opencontainers.image.ref.name") => ({
  ...descriptor,
  annotations: { [key]: name },
});

async function resolve(
  reference = "shop:1",
  platform: Platform = AMD64,
  options: ResolveImageOptions = {},
) {
  await using source = await openImageSource({ layout });
  return await resolveImage(source, reference, platform, options);
}

describe("resolveImage() reads what is built", () => {
  const kinds = (["oci", "docker"] as const).flatMap((mediaTypes) =>
    (["gzip", "none", "zstd"] as const).map((compression) => ({ mediaTypes, compression })),
  );

  test.for(kinds)(
    "with $mediaTypes media types and $compression layers",
    async (kind, { skip }) => {
      skip(kind.compression === "zstd" && !hasZstd(), "zstd is not installed");
      const image = make({
        ...kind,
        layers: [new Map([["/base", { content: "base" }]])],
        config: { entrypoint: ["/greet"], user: "app", env: { A: "1" } },
      });
      const archive = join(folder, "image.tar");
      await archiveLayout(layout, archive);
      for (const path of [{ layout }, { archive }]) {
        await using source = await openImageSource(path);
        expect(await resolveImage(source, "shop:1", AMD64)).toEqual({
          reference: "docker.io/library/shop:1",
          platform: AMD64,
          manifest: expect.objectContaining({ digest: image.manifests[0]?.digest }),
          index: expect.objectContaining({ digest: image.digest }),
          nestedIndexes: [],
          config: image.config,
          layers: image.layers,
          diffIds: image.diffIds,
          imageConfig: { env: ["A=1"], entrypoint: ["/greet"], user: "app" },
        });
      }
      expect(image.layers).toHaveLength(2);
    },
  );

  test("without an index, as one manifest", async () => {
    const image = makeImage({ out: layout, reference: "shop:1", files: new Map() });
    const platform = image.manifests[0]?.platform ?? NOWHERE;
    const resolved = await resolve("shop:1", platform);
    expect(resolved).not.toHaveProperty("index");
    expect(resolved.manifest.digest).toBe(image.digest);
  });

  test("without mediaType fields inside, as buildah writes", async () => {
    const made = setManifest(make(), { mediaType: undefined });
    expect((await resolve()).manifest).toEqual(made);
  });

  test("through nested indexes, naming each", async () => {
    const image = make({ platforms: [AMD64, ARM64] });
    const inner = { mediaType: `${OCI}.index.v1+json`, digest: image.digest };
    const size = readFileSync(blobFile(image.digest)).length;
    const index = { schemaVersion: 2, manifests: [{ ...inner, size }] };
    const outer = put(`${OCI}.index.v1+json`, index);
    setIndex(outer);
    const resolved = await resolve("shop:1", ARM64);
    expect(resolved.index).toEqual(outer);
    expect(resolved.nestedIndexes).toEqual([{ ...inner, size }]);
    expect(resolved.manifest.digest).toBe(image.manifests[1]?.digest);
  });

  test("but not through indexes nested without end", async () => {
    make();
    let entry = put(`${OCI}.index.v1+json`, { schemaVersion: 2, manifests: [] });
    for (let depth = 0; depth < 5; depth += 1) {
      entry = put(`${OCI}.index.v1+json`, { schemaVersion: 2, manifests: [entry] });
    }
    setIndex(entry);
    await expect(resolve()).rejects.toThrow("nested more than 4 deep");
  });
});

describe("resolveImage() chooses the platform", () => {
  const ARM_V7 = { os: "linux", architecture: "arm", variant: "v7" };

  test("passing over attestations", async () => {
    const image = make({ platforms: [NOWHERE, AMD64, { ...ARM64, variant: "v8" }, ARM_V7] });
    const digest = async (platform: Platform) =>
      (await resolve("shop:1", platform)).manifest.digest;
    expect(await digest(AMD64)).toBe(image.manifests[1]?.digest);
    expect(await digest(ARM64)).toBe(image.manifests[2]?.digest);
    expect(await digest({ os: "linux", architecture: "arm" })).toBe(image.manifests[3]?.digest);
    await expect(resolve("shop:1", NOWHERE)).rejects.toMatchObject({ code: "not_found" });
  });

  test("by the config where the index does not say", async () => {
    const image = make({ platforms: [AMD64, ARM64] });
    setIndex(...image.manifests.map(({ platform: _, ...entry }) => named(entry, "shop:1")));
    await expect(resolve("shop:1", ARM64)).rejects.toThrow("both match");
    const bare = image.manifests.map(({ platform: _, ...entry }) => entry);
    setIndex(put(`${OCI}.index.v1+json`, { schemaVersion: 2, manifests: bare }));
    expect((await resolve("shop:1", ARM64)).manifest.digest).toBe(bare[1]?.digest);
  });

  test("among entries of one name in index.json", async () => {
    const image = make({ platforms: [AMD64, ARM64, NOWHERE, NOWHERE] });
    setIndex(...image.manifests.map((entry) => named(entry, "shop:1")));
    const resolved = await resolve("shop:1", ARM64);
    expect(resolved.manifest.digest).toBe(image.manifests[1]?.digest);
    expect(resolved).not.toHaveProperty("index");
  });

  test("naming those that are there when none fits", async () => {
    make({ platforms: [ARM64, ARM_V7] });
    await expect(resolve("shop:1", { os: "linux", architecture: "s390x" })).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining(
        "it is not built for linux/s390x, only for linux/arm64, linux/arm/v7",
      ),
    });
    make({ platforms: [NOWHERE] });
    await expect(resolve()).rejects.toThrow("only for no platform at all");
  });
});

describe("resolveImage() finds the image", () => {
  const two = () => {
    const shop = make({ reference: "shop:1" });
    const files = new Map([["/other", { content: "other" }]]);
    return { shop, other: make({ reference: "ghcr.io/acme/other:2", files }) };
  };
  const entryOf = (image: MadeImage) => image.manifests[0] ?? {};

  test("by its whole reference, however that is written", async () => {
    const { shop, other } = two();
    expect((await resolve("docker.io/library/shop:1")).index?.digest).toBe(shop.digest);
    expect((await resolve("ghcr.io/acme/other:2")).index?.digest).toBe(other.digest);
    setIndex(named(entryOf(shop), "shop"), named(entryOf(other), "index.docker.io/library/shop:2"));
    expect((await resolve("shop:2")).manifest.digest).toBe(other.manifests[0]?.digest);
    expect((await resolve("docker.io/shop:latest")).manifest.digest).toBe(
      shop.manifests[0]?.digest,
    );
  });

  test("by its tag alone, but not where containerd's annotation names another", async () => {
    const { shop, other } = two();
    setIndex(named(entryOf(shop), "1"), named(entryOf(other), "2"));
    expect((await resolve("shop:2")).manifest.digest).toBe(other.manifests[0]?.digest);
    const saved = named(entryOf(shop), "docker.io/library/saved:2", "io.containerd.image.name");
    const tag = { "org.opencontainers.image.ref.name": "2" };
    setIndex(
      { ...saved, annotations: { ...saved.annotations, ...tag } },
      named(entryOf(other), "2"),
    );
    expect((await resolve("shop:2")).manifest.digest).toBe(other.manifests[0]?.digest);
    expect((await resolve("saved:2")).manifest.digest).toBe(shop.manifests[0]?.digest);
  });

  test("by its digest, where no name helps", async () => {
    const { shop, other } = two();
    setIndex(entryOf(shop), named(entryOf(other), "2"));
    const digest = shop.manifests[0]?.digest ?? "";
    expect((await resolve(`nameless@${digest}`)).manifest.digest).toBe(digest);
  });

  test("when it is the only one", async () => {
    const shop = make();
    expect((await resolve("quite/another:name")).index?.digest).toBe(shop.digest);
  });

  test("or names those that are there", async () => {
    const { shop } = two();
    const failure = { code: "not_found" };
    const names = 'it holds "docker.io/library/shop:1", "ghcr.io/acme/other:2"; name one of them';
    await expect(resolve("shop:2")).rejects.toMatchObject(failure);
    await expect(resolve("shop:2")).rejects.toThrow(names);
    await expect(resolve("ghcr.io/acme/shop:1")).rejects.toThrow(names);
    setIndex();
    await expect(resolve()).rejects.toThrow("it holds no image");
    setIndex(entryOf(shop));
    await expect(resolve()).resolves.toMatchObject({ layers: shop.layers });
  });

  test("and refuses to guess between two of one name, unless one is pinned", async () => {
    const { shop, other } = two();
    setIndex(named(entryOf(shop), "shop:1"), named(entryOf(other), "shop:1"));
    await expect(resolve()).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("both match; pin the digest of one"),
    });
    const digest = other.manifests[0]?.digest ?? "";
    expect((await resolve("shop:1", AMD64, { digest })).manifest.digest).toBe(digest);
  });
});

describe("resolveImage() holds a pinned digest", () => {
  test("of the index or of the manifest, in the options or the reference", async () => {
    const image = make({ platforms: [AMD64, ARM64] });
    const manifest = image.manifests[0]?.digest ?? "";
    for (const digest of [image.digest, manifest]) {
      expect((await resolve("shop:1", AMD64, { digest })).manifest.digest).toBe(manifest);
      expect((await resolve(`shop:1@${digest}`)).manifest.digest).toBe(manifest);
    }
    const both = await resolve(`shop@${image.digest}`, AMD64, { digest: manifest });
    expect(both.manifest.digest).toBe(manifest);
  });

  test("and refuses another, naming both", async () => {
    const image = make();
    const failure = { code: "failed_precondition" };
    await expect(resolve("shop:1", AMD64, { digest: NO_DIGEST })).rejects.toMatchObject(failure);
    await expect(resolve(`shop:1@${NO_DIGEST}`)).rejects.toThrow(`not the pinned ${NO_DIGEST}`);
    const mixed = resolve(`shop:1@${image.digest}`, AMD64, { digest: NO_DIGEST });
    await expect(mixed).rejects.toMatchObject(failure);
  });

  test("of another platform's manifest as not built for this one", async () => {
    const image = make({ platforms: [AMD64, ARM64] });
    const digest = image.manifests[1]?.digest ?? "";
    const resolving = resolve("shop:1", AMD64, { digest });
    await expect(resolving).rejects.toThrow("not built for linux/amd64, only for linux/arm64");
  });

  test("and refuses what is no digest", async () => {
    make();
    const resolving = resolve("shop:1", AMD64, { digest: "latest" });
    await expect(resolving).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

describe("resolveImage() refuses", () => {
  const flip = (digest: string) => {
    const bytes = readFileSync(blobFile(digest));
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    writeFileSync(blobFile(digest), bytes);
  };
  const parts: readonly [string, (image: MadeImage) => string][] = [
    ["index", (image) => image.digest],
    ["manifest", (image) => image.manifests[0]?.digest ?? ""],
    ["config", (image) => image.config.digest],
  ];

  test.each(parts)("a %s with a byte changed, cut, added, or gone", async (_title, digestOf) => {
    const digest = digestOf(make());
    const file = `blobs/${digest.replace(":", "/")}`;
    const whole = readFileSync(blobFile(digest));
    const attempts: readonly [() => void, string, string][] = [
      [() => flip(digest), "invalid_argument", "its bytes have the digest"],
      [() => truncateSync(blobFile(digest), 9), "invalid_argument", "it has 9 of the"],
      [() => writeFileSync(blobFile(digest), `${whole} `), "invalid_argument", "it has more than"],
      [() => rmSync(blobFile(digest)), "not_found", "it is not there"],
    ];
    for (const [damage, code, message] of attempts) {
      writeFileSync(blobFile(digest), whole);
      damage();
      const failure = await resolve().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code, message: expect.stringContaining(message) });
      expect(failure).toMatchObject({ message: expect.stringContaining(file) });
    }
  });

  test("a layer that is missing or has another size", async () => {
    const layer = make().layers[0]?.digest ?? "";
    truncateSync(blobFile(layer), 9);
    await expect(resolve()).rejects.toThrow(
      /it has 9 of the \d+ bytes declared in layers\[0\]\.size/,
    );
    rmSync(blobFile(layer));
    await expect(resolve()).rejects.toMatchObject({ code: "not_found" });
  });

  test("a document of more than 4 MiB before reading it", async () => {
    const image = make();
    setIndex({ ...image.manifests[0], size: 4 * 1024 * 1024 + 1 });
    await expect(resolve()).rejects.toThrow("it has 4194305 bytes, more than the 4194304 allowed");
    setIndex(put(`${OCI}.manifest.v1+json`, { padding: "x".repeat(5_000_000) }));
    await expect(resolve()).rejects.toThrow("more than the 4194304 allowed");
  });

  test("more than 127 layers", async () => {
    const image = make();
    const layers = (count: number) => Array.from({ length: count }, () => image.layers[0]);
    const diffIds = (count: number) => Array.from({ length: count }, () => NO_DIGEST);
    const rootfs = (count: number) => ({ rootfs: { type: "layers", diff_ids: diffIds(count) } });
    setManifest(image, { layers: layers(127) }, rootfs(127));
    expect((await resolve()).layers).toHaveLength(127);
    setManifest(image, { layers: layers(128) }, rootfs(128));
    await expect(resolve()).rejects.toThrow("layers: must have at most 127 layers");
  });

  test("a config that knows another number of layers", async () => {
    setManifest(make(), { layers: [] });
    await expect(resolve()).rejects.toThrow(
      "rootfs.diff_ids: names 1 layers, but the manifest has 0",
    );
  });

  const descriptor = (mediaType: string) => ({ mediaType, digest: NO_DIGEST, size: 1 });
  test.each<[string, object, string]>([
    ["both manifest and index", { manifests: [] }, "manifests: must be absent"],
    ["schema version 1", { schemaVersion: 1 }, "schemaVersion: "],
    ["another type than declared", { mediaType: "text/plain" }, 'mediaType: is "text/plain", but'],
    ["no layers", { layers: undefined }, "layers: "],
    ["layers of a wrong type", { layers: "many" }, "layers: "],
    [
      "a traversing digest",
      { layers: [{ ...descriptor("a"), digest: "sha256:../../../x" }] },
      "layers[0].digest: must be sha256:",
    ],
    ["a size that is no number", { config: { ...descriptor("a"), size: "1" } }, "config.size: "],
    [
      "no container's config",
      { config: descriptor("application/vnd.cncf.helm.config.v1+json") },
      "is not a container image",
    ],
    [
      "an encrypted layer",
      { layers: [descriptor(`${OCI}.layer.v1.tar+gzip+encrypted`)] },
      "layers[0].mediaType: ",
    ],
  ])("a manifest with %s", async (_title, change, message) => {
    const { digest } = setManifest(make(), change);
    const failure = await resolve().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(message),
    });
    expect(failure).toMatchObject({ message: expect.stringContaining(digest.slice(7)) });
  });

  test.each<[string, object, string]>([
    ["no rootfs", { rootfs: undefined }, "rootfs: "],
    ["a bad diff id", { rootfs: { type: "layers", diff_ids: ["x"] } }, "rootfs.diff_ids[0]: "],
    ["env of a wrong type", { config: { Env: { A: "1" } } }, "config.Env: "],
    ["no architecture", { architecture: "" }, "architecture: "],
  ])("a config with %s", async (_title, change, message) => {
    setManifest(make(), {}, change);
    await expect(resolve()).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining(message),
    });
  });

  test("Docker's schema 1, saying how to convert it", async () => {
    make();
    setIndex(descriptor("application/vnd.docker.distribution.manifest.v1+prettyjws"));
    await expect(resolve()).rejects.toThrow("convert the image with skopeo copy --format oci");
  });

  test("a reference that is none", async () => {
    make();
    await expect(resolve("Shop")).rejects.toThrow("holds upper case");
  });

  test("to go on when the signal is aborted", async () => {
    make();
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    await expect(resolve("shop:1", AMD64, { signal })).rejects.toBe(reason);
  });
});
