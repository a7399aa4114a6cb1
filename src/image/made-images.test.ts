import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { archiveLayout, busyboxImage, makeImage } from "../../scripts/lib/make-image.ts";
import { openImageSource } from "./open-image-source.ts";
import { resolveImage } from "./resolve-image.ts";
import { verifyStream } from "./verify-stream.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stowage-made-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const LONG = `/${"deep/".repeat(30)}${"n".repeat(150)}`;
const FILES = new Map([
  ["/srv/page", { content: "hello", mode: 0o640, uid: 1234, gid: 4321 }],
  ["/srv/link", { linkTo: "page" }],
  ["/tmp", { directory: true as const, mode: 0o1777 }],
  [LONG, { content: "long" }],
]);

describe("makeImage()", () => {
  test("makes the same bytes on every run and in every order of files", async () => {
    for (const name of ["a", "b"]) {
      const files = new Map(name === "a" ? FILES : [...FILES].toReversed());
      makeImage({ out: join(folder, name), reference: "a:1", files });
      await archiveLayout(join(folder, name), join(folder, `${name}.tar`));
    }
    const [first, second] = ["a.tar", "b.tar"].map((name) => readFileSync(join(folder, name)));
    expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
  });

  test("makes layers that tar reads as they were meant", () => {
    const layout = join(folder, "layout");
    const image = makeImage({ out: layout, reference: "a:1", files: FILES, compression: "none" });
    const layer = join(layout, "blobs", (image.layers[0]?.digest ?? "").replace(":", "/"));
    const listing = execFileSync("tar", ["-tvf", layer, "--numeric-owner"], { encoding: "utf8" });
    expect(listing).toMatch(/^-rw-r----- 1234\/4321 +5 1970-01-01 00:00 srv\/page$/m);
    expect(listing).toMatch(/^lrwxrwxrwx 0\/0 .* srv\/link -> page$/m);
    expect(listing).toMatch(/^drwxrwxrwt 0\/0 .* tmp\/$/m);
    expect(listing).toMatch(new RegExp(`^-rw-r--r-- 0/0 +4 .* ${LONG.slice(1)}$`, "m"));
    expect(listing.split("\n").filter((line) => line.endsWith(" srv/"))).toHaveLength(1);
  });

  test("keeps the other images of a layout, and replaces one of the same reference", async () => {
    const make = (reference: string, content: string) =>
      makeImage({ out: folder, reference, files: new Map([["/f", { content }]]) });
    make("a:1", "old");
    const b = make("b:1", "b");
    const a = make("a:1", "new");
    await using source = await openImageSource({ layout: folder });
    expect(source.entries.map(({ digest }) => digest)).toEqual([b.digest, a.digest]);
  });

  test.each(["relative", "/a/../b", "/", "//a"])("refuses the path %j in an image", (path) => {
    const files = new Map([[path, { content: "" }]]);
    expect(() => makeImage({ out: folder, reference: "a:1", files })).toThrow(
      `Cannot put "${path}"`,
    );
  });
});

test("busyboxImage() makes an image whose layers unpack to a system that runs", async () => {
  const layout = join(folder, "layout");
  const root = join(folder, "root");
  const made = busyboxImage({ out: layout, files: new Map([["/srv/page", { content: "hi" }]]) });
  await using source = await openImageSource({ layout });
  const platform = made.manifests[0]?.platform ?? { os: "", architecture: "" };
  const { layers } = await resolveImage(source, "localhost/busybox", platform);
  mkdirSync(root);
  for (const { digest, size } of layers) {
    const parts: Uint8Array[] = [];
    for await (const part of verifyStream(source.open(digest), digest, size)) parts.push(part);
    execFileSync("tar", ["-xzf", "-", "--no-same-owner", "-C", root], {
      input: Buffer.concat(parts),
    });
  }
  expect(readdirSync(join(root, "bin"))).toEqual(
    expect.arrayContaining(["busybox", "sh", "httpd", "nc", "sleep", "flock", "id"]),
  );
  expect(statSync(join(root, "tmp")).mode & 0o777).toBe(0o777);
  const shell = join(root, "bin/busybox");
  const said = execFileSync(shell, ["sh", "-c", `cat ${root}/srv/page ${root}/etc/group`]);
  expect(said.toString()).toMatch(/^hiroot:x:0:$.*^app:x:4321:$.*^extra:x:777:app$/ms);
});
