import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { archiveLayout, type MadeImage, makeImage } from "../../scripts/lib/make-image.ts";
import type { ImageSource } from "./blob-source.ts";
import { openImageSource } from "./open-image-source.ts";

const MIB = 1024 * 1024;
const BIG = Buffer.alloc(3 * MIB + 17, "stowage ");

let folder: string;
let layout: string;
let archive: string;
let image: MadeImage;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "stowage-image-"));
  layout = join(folder, "layout");
  archive = join(folder, "image.tar");
  const files = new Map([["/big", { content: BIG }]]);
  image = makeImage({ out: layout, reference: "test:1", files, compression: "none" });
  await archiveLayout(layout, archive);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const blobFile = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));

async function readBlob(source: ImageSource, digest: string, offset?: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source.open(digest, offset)) {
    expect(part.byteLength).toBeLessThanOrEqual(MIB);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

describe.each(["layout", "archive"] as const)("openImageSource() of a %s", (kind) => {
  const open = () => openImageSource(kind === "layout" ? { layout } : { archive });

  test("lists its images, and gives blobs whole, from an offset, and two at once", async () => {
    await using source = await open();
    expect(source.entries.map(({ digest }) => digest)).toEqual([image.digest]);
    const layer = image.layers[0]?.digest ?? "";
    const expected = readFileSync(blobFile(layer));
    expect(await source.size(layer)).toBe(expected.length);
    const [whole, tail, none] = await Promise.all([
      readBlob(source, layer),
      readBlob(source, layer, 2 * MIB + 5),
      readBlob(source, layer, expected.length),
    ]);
    expect(whole.equals(expected)).toBe(true);
    expect(tail.equals(expected.subarray(2 * MIB + 5))).toBe(true);
    expect(none.length).toBe(0);
  });

  test("says not_found for a blob that is not there", async () => {
    await using source = await open();
    const digest = `sha256:${"0".repeat(64)}`;
    const failure = { code: "not_found", message: expect.stringContaining("blobs/sha256/000") };
    await expect(source.size(digest)).rejects.toMatchObject(failure);
    await expect(readBlob(source, digest)).rejects.toMatchObject(failure);
  });

  test.each([
    "sha256:../../../etc/passwd",
    `sha256:${"A".repeat(64)}`,
    "../index.json",
    `sha256/../${"0".repeat(64)}`,
    "",
  ])("refuses %j as the name of a blob", async (name) => {
    await using source = await open();
    await expect(source.size(name)).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(readBlob(source, name)).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

describe("openImageSource() refuses", () => {
  test.each([
    [() => ({}), "invalid_argument", "give either a layout or an archive"],
    [() => ({ layout, archive }), "invalid_argument", "give either"],
    [() => ({ layout: "relative/path" }), "invalid_argument", "must be absolute"],
    [() => ({ layout: join(folder, "none") }), "not_found", "ENOENT; check the path"],
    [() => ({ archive: join(folder, "none") }), "not_found", "ENOENT; check the path"],
    [() => ({ layout: archive }), "invalid_argument", "give an archive as archive"],
    [() => ({ archive: layout }), "invalid_argument", "give a folder as layout"],
  ])("a wrong path (%#)", async (source, code, message) => {
    const failure = { code, message: expect.stringContaining(message) };
    await expect(openImageSource(source())).rejects.toMatchObject(failure);
  });

  test.each([
    ["no mark", "oci-layout", undefined, '"oci-layout" in'],
    [
      "a mark of another version",
      "oci-layout",
      '{"imageLayoutVersion":"2.0.0"}',
      "must be version 1.x",
    ],
    ["no index", "index.json", undefined, "is not an OCI image layout"],
    ["an index that is not JSON", "index.json", "root:x:0:0", "it is not JSON"],
    ["an index that is not UTF-8", "index.json", Buffer.from([0x22, 0xff, 0x22]), "it is not JSON"],
    ["an index of another kind", "index.json", "[]", "(top level): "],
    ["a huge index", "index.json", " ".repeat(4 * MIB + 1), "4194305 bytes, more than the 4194304"],
    ["schema version 1", "index.json", '{"schemaVersion":1,"manifests":[]}', "schemaVersion: "],
    [
      "a traversing digest",
      "index.json",
      '{"schemaVersion":2,"manifests":[{"mediaType":"a","size":1,"digest":"sha256:../../x"}]}',
      '"index.json" in',
    ],
    [
      "wrong types, all of them named",
      "index.json",
      `{"schemaVersion":2,"manifests":[{"mediaType":7,"size":-1,"digest":"sha256:${"0".repeat(64)}"}]}`,
      "manifests[0].size: ",
    ],
  ])("a layout with %s", async (_title, file, content, message) => {
    if (content === undefined) rmSync(join(layout, file));
    else writeFileSync(join(layout, file), content);
    const failure = openImageSource({ layout });
    await expect(failure).rejects.toMatchObject({ message: expect.stringContaining(message) });
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining("root:x") });
    await archiveLayout(layout, archive);
    await expect(openImageSource({ archive })).rejects.toThrow(message);
  });

  test("Docker's older save format, saying how to convert it", async () => {
    renameSync(join(layout, "index.json"), join(layout, "manifest.json"));
    await archiveLayout(layout, archive);
    await expect(openImageSource({ archive })).rejects.toThrow(
      `convert it with skopeo copy docker-archive:${archive} oci:`,
    );
  });

  test("a compressed archive, naming the tool that unpacks it", async () => {
    writeFileSync(archive, gzipSync(readFileSync(archive)));
    await expect(openImageSource({ archive })).rejects.toThrow("unpack it first with gunzip");
  });

  test("what is no tar", async () => {
    writeFileSync(archive, Buffer.alloc(4096, "x"));
    await expect(openImageSource({ archive })).rejects.toThrow("at byte 0 there is no tar header");
  });

  test("an archive cut short anywhere", async () => {
    const { size } = statSync(archive);
    for (const length of [0, 100, 512, 4 * 512 + 3, 2 * MIB, size - 1024, size - 1030]) {
      await archiveLayout(layout, archive);
      truncateSync(archive, length);
      await expect(openImageSource({ archive })).rejects.toThrow("it was cut short");
    }
  });

  test("a FIFO in a blob's place, without waiting for it", async () => {
    const layer = image.layers[0]?.digest ?? "";
    rmSync(blobFile(layer));
    execFileSync("mkfifo", [blobFile(layer)]);
    await using source = await openImageSource({ layout });
    await expect(source.size(layer)).rejects.toMatchObject({ code: "not_found" });
    await expect(readBlob(source, layer)).rejects.toMatchObject({ code: "not_found" });
  });

  test("an aborted signal, with its own reason", async () => {
    const reason = new Error("stop");
    await expect(openImageSource({ layout }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });
});

describe("openImageSource() reads archives of other tools", () => {
  const tar = (...args: string[]) => execFileSync("tar", ["-cf", archive, "-C", layout, ...args]);

  async function expectWhole(): Promise<void> {
    await using source = await openImageSource({ archive });
    const layer = image.layers[0]?.digest ?? "";
    expect((await readBlob(source, layer)).equals(readFileSync(blobFile(layer)))).toBe(true);
  }

  test.each(["gnu", "pax", "ustar", "oldgnu", "posix"])(
    "GNU tar's %s format with ./ names",
    async (format) => {
      tar(`--format=${format}`, ".");
      await expectWhole();
    },
  );

  test("entries with names longer than a header, of both kinds, before the blobs", async () => {
    for (const format of ["gnu", "pax"]) {
      const long = join(layout, "a".repeat(120), "b".repeat(120));
      mkdirSync(long, { recursive: true });
      writeFileSync(join(long, "file"), "x");
      symlinkSync("y".repeat(200), join(layout, `link-${format}`));
      tar(`--format=${format}`, ".");
      await expectWhole();
    }
  });

  test("hard links between blobs", async () => {
    const layer = blobFile(image.layers[0]?.digest ?? "");
    linkSync(layer, join(layout, "0-first"));
    tar("--format=gnu", "0-first", "blobs", "index.json", "oci-layout");
    await expectWhole();
  });

  test("an entry written twice, of which the last counts", async () => {
    const copy = join(folder, "copy");
    cpSync(layout, copy, { recursive: true });
    appendFileSync(join(copy, "index.json"), "broken");
    execFileSync("tar", ["-cf", archive, "-C", copy, "."]);
    execFileSync("tar", ["-rf", archive, "-C", layout, "./index.json"]);
    await expectWhole();
  });

  test("but no sparse files", async () => {
    const holes = join(layout, "blobs/sha256", "f".repeat(64));
    writeFileSync(holes, "x");
    truncateSync(holes, 10 * MIB);
    for (const format of ["gnu", "pax"]) {
      tar(`--format=${format}`, "-S", ".");
      await expect(openImageSource({ archive })).rejects.toThrow("it holds a sparse file");
    }
  });
});
