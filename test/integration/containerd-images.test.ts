import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import {
  archiveLayout,
  busyboxImage,
  hasZstd,
  type ImageFile,
  type MadeImage,
  makeImage,
  thisPlatform,
} from "../../scripts/lib/make-image.ts";
import type { ImageContent } from "../../src/engine/index.ts";
import {
  type ContainerdConnection,
  connect,
} from "../../src/engines/containerd/client/connection.ts";
import type { ContainerdClient } from "../../src/engines/containerd/client/containerd-client.ts";
import { chainIds } from "../../src/engines/containerd/images/chain-id.ts";
import {
  addImageLabels,
  deleteImageRecord,
  getImageRecord,
  listImageRecords,
  removeImageLabel,
  writeImageRecord,
} from "../../src/engines/containerd/images/image-record.ts";
import { importImage } from "../../src/engines/containerd/images/import-image.ts";
import {
  importLeaseId,
  takeImportLease,
} from "../../src/engines/containerd/images/import-lease.ts";
import {
  listImportLeftovers,
  sweepImports,
} from "../../src/engines/containerd/images/import-leftovers.ts";
import { hostLayerFiles } from "../../src/engines/containerd/images/layer-files.ts";
import { snapshotExists } from "../../src/engines/containerd/images/snapshots.ts";
import { UserResolver } from "../../src/engines/containerd/images/user-resolver.ts";
import type { StowageError } from "../../src/errors/index.ts";
import { Content, WriteAction } from "../../src/gen/containerd/services/content/v1/content_pb.ts";
import { Images } from "../../src/gen/containerd/services/images/v1/images_pb.ts";
import { Leases } from "../../src/gen/containerd/services/leases/v1/leases_pb.ts";
import { Namespaces } from "../../src/gen/containerd/services/namespaces/v1/namespaces_pb.ts";
import { Kind, Snapshots } from "../../src/gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import { openLocalHost } from "../../src/host/index.ts";
import { LABEL_IMAGE_TARGET } from "../../src/model/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { openContent } from "./containerd-images/image-content.ts";

const REFERENCE = "localhost/demo:1";
const NAME = "localhost/demo:1";
const SNAPSHOTTER = "overlayfs";

describeWithEngine("containerd", "images in containerd", (containerd) => {
  let connection: ContainerdConnection;
  let client: ContainerdClient;
  let folder: string;
  let importer: string;

  beforeAll(async () => {
    // bundled, as it starts many times
    const bundle = mkdtempSync(join(tmpdir(), "stw-imp-"));
    importer = join(bundle, "import-process.cjs");
    const source = join(import.meta.dirname, "containerd-images/import-process.ts");
    await build({
      entryPoints: [source],
      outfile: importer,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
    });
    return () => rmSync(bundle, { recursive: true, force: true });
  });

  beforeEach(async () => {
    connection = await connect({ host: openLocalHost(), socketPath: containerd.address });
    client = connection.inNamespace(`stw-test-${randomBytes(4).toString("hex")}`);
    folder = mkdtempSync(join(tmpdir(), "stw-img-"));
  });

  afterEach(async () => {
    await emptyNamespace(client);
    await connection[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const layers = [
    new Map<string, ImageFile>([
      ["/a", { content: "lower" }],
      ["/etc/passwd", { content: "root:x:0:0::/:/bin/sh\nold:x:7:7::/:/x\n" }],
    ]),
    new Map<string, ImageFile>([["/b", { content: randomBytes(3_000_000) }]]),
    new Map<string, ImageFile>([
      ["/etc/passwd", { content: "root:x:0:0::/:/bin/sh\nnew:x:8:8::/:/x\n" }],
    ]),
  ];

  async function load(image: MadeImage, layout = image.layout): Promise<ImageContent> {
    const { source, content } = await openContent(layout, image.reference);
    onTestFinished(async () => source[Symbol.asyncDispose]());
    return content;
  }

  async function expectWhole(image: MadeImage): Promise<void> {
    expect(await leftovers(client)).toEqual([]);
    expect(await getImageRecord(client, NAME)).toMatchObject({ target: { digest: image.digest } });
    for (const chainId of chainIds(image.diffIds)) {
      expect(await snapshotExists(client, SNAPSHOTTER, chainId)).toBe(true);
    }
    const held = await contentDigests(client);
    const manifest = image.manifests.find(
      ({ platform }) => platform.architecture === thisPlatform().architecture,
    );
    const wanted = [image.digest, manifest?.digest, ...image.layers.map(({ digest }) => digest)];
    expect(held).toEqual(expect.arrayContaining(wanted));
    // nothing but labels keeps it: a collection must not take any of it away
    await collectGarbage(client);
    expect(await contentDigests(client)).toEqual(held);
    const top = chainIds(image.diffIds).at(-1) ?? "";
    expect(await snapshotExists(client, SNAPSHOTTER, top)).toBe(true);
  }

  test.each([
    { title: "gzip", options: {} },
    { title: "plain tar", options: { compression: "none" as const } },
    { title: "zstd", options: { compression: "zstd" as const } },
    { title: "Docker schema 2, gzip", options: { mediaTypes: "docker" as const } },
    {
      title: "Docker schema 2, plain tar",
      options: { mediaTypes: "docker" as const, compression: "none" as const },
    },
    {
      title: "Docker schema 2, zstd",
      options: { mediaTypes: "docker" as const, compression: "zstd" as const },
    },
    {
      title: "an index of several platforms",
      options: { platforms: [{ os: "linux", architecture: "s390x" }, thisPlatform()] },
    },
    {
      title: "a Docker manifest list",
      options: {
        mediaTypes: "docker" as const,
        platforms: [{ os: "linux", architecture: "s390x" }, thisPlatform()],
      },
    },
  ])(
    "an image is imported whole, unpacked and survives a collection: $title",
    async ({ options }) => {
      if (!hasZstd() && options.compression === "zstd") return expect(hasZstd()).toBe(false);
      const image = makeImage({ out: folder, reference: REFERENCE, layers, ...options });
      await importImage(client, await load(image), { name: NAME, labels: { a: "1" } });
      await expectWhole(image);
    },
  );

  test("an image is imported from an archive", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const archive = join(folder, "image.tar");
    await archiveLayout(folder, archive);
    await importImage(client, await load(image, archive), { name: NAME, labels: {} });
    await expectWhole(image);
  });

  test("an image that lists one layer twice, and one without layers, are imported", async () => {
    const twice = makeImage({
      out: folder,
      reference: REFERENCE,
      layers: [...layers, layers[0] ?? new Map()],
    });
    await importImage(client, await load(twice), { name: NAME, labels: {} });
    await expectWhole(twice);
    const none = makeImage({ out: folder, reference: "localhost/none:1" });
    await importImage(client, await load(none), { name: none.reference, labels: {} });
    expect(await leftovers(client)).toEqual([]);
  });

  test("files of the image lie unpacked as runc would see them", async () => {
    const image = busyboxImage({ out: folder, reference: REFERENCE });
    await importImage(client, await load(image), { name: NAME, labels: {} });
    const address = containerd.address;
    const [top = ""] = chainIds(image.diffIds).slice(-1);
    const args = ["--address", address, "--namespace", client.namespace, "snapshots", "info", top];
    expect(execFileSync("ctr", args, { encoding: "utf8" })).toContain("Committed");
    const check = ["--address", address, "--namespace", client.namespace, "images", "check"];
    expect(execFileSync("ctr", check, { encoding: "utf8" })).toMatch(
      /complete \((\d+)\/\1\).* true\s/,
    );
  });

  test("a second import changes nothing and reads no blob", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    await importImage(client, await load(image), { name: NAME, labels: { a: "1" } });
    const before = await client.unary(Images.method.get, { name: NAME }, { doing: "test" });
    const content = {
      ...(await load(image)),
      open: () => expect.unreachable("a blob was read again"),
    };
    await importImage(client, content, { name: NAME, labels: { a: "1" } });
    const after = await client.unary(Images.method.get, { name: NAME }, { doing: "test" });
    expect(after.image?.updatedAt).toEqual(before.image?.updatedAt);
    await expectWhole(image);
  });

  test("a blob that another namespace has is taken over without being read", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const other = connection.inNamespace(`${client.namespace}-other`);
    await importImage(other, await load(image), { name: NAME, labels: {} });
    const content = {
      ...(await load(image)),
      open: () => expect.unreachable("a blob was read again"),
    };
    await importImage(client, content, { name: NAME, labels: {} });
    await expectWhole(image);
    await emptyNamespace(other);
  });

  test("two imports of one image at once both succeed and leave one image", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const [one, two] = [await load(image), await load(image)];
    await Promise.all([
      importImage(client, one, { name: NAME, labels: { a: "1" } }),
      importImage(client, two, { name: NAME, labels: { b: "2" } }),
    ]);
    await expectWhole(image);
    expect((await getImageRecord(client, NAME))?.labels).toMatchObject({ a: "1", b: "2" });
  });

  test.each([
    {
      title: "a layer with other bytes of the same size",
      spoil: (path: string) => {
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
    },
    { title: "a truncated layer", spoil: (path: string) => truncateSync(path, 1_500_000) },
    {
      title: "a layer with bytes too many",
      spoil: (path: string) => writeFileSync(path, "x", { flag: "a" }),
    },
  ])("$title is refused, naming the digest, and nothing is left", async ({ spoil }) => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const whole = `${folder}-whole`;
    cpSync(folder, whole, { recursive: true });
    onTestFinished(() => rmSync(whole, { recursive: true, force: true }));
    // resolved before it is spoilt: the import itself has to see it
    const content = await load(image);
    const digest = image.layers[1]?.digest ?? "";
    spoil(join(folder, "blobs", digest.replace(":", "/")));
    await expect(importImage(client, content, { name: NAME, labels: {} })).rejects.toMatchObject({
      name: "StowageError",
      code: "invalid_argument",
      message: expect.stringContaining(digest),
    });
    expect(await everything(client)).toEqual([]);
    await importImage(client, await load({ ...image, layout: whole }), { name: NAME, labels: {} });
    await expectWhole(image);
  });

  test("an ingest that another client holds and does not write is not waited for", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const content = await load(image);
    const leaseId = await takeImportLease(client, content.manifest.digest);
    const options = { doing: "hold an ingest" };
    await using held = client.withLease(leaseId).bidi(Content.method.write, options);
    await held.send({ action: WriteAction.STAT, ref: `manifest-${content.manifest.digest}` });
    await held.receive();
    await importImage(client, content, { name: NAME, labels: {} });
    await expectWhole(image);
  }, 60_000);

  test.each([
    { title: "junk as a plain tar", bytes: randomBytes(5000), suffix: "" },
    {
      title: "junk as gzip",
      bytes: Buffer.concat([gzipSync("x").subarray(0, 10), randomBytes(5000)]),
      suffix: "+gzip",
    },
    {
      title: "gzip that ends too early",
      bytes: gzipSync(randomBytes(50_000)).subarray(0, 20_000),
      suffix: "+gzip",
    },
    { title: "junk within gzip", bytes: gzipSync(randomBytes(5000)), suffix: "+gzip" },
    {
      title: "junk as zstd",
      bytes: Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), randomBytes(5000)]),
      suffix: "+zstd",
    },
  ])("$title in a layer is refused, and nothing is left", async ({ bytes, suffix }) => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const junk = await withLayer(
      await load(image),
      bytes,
      `application/vnd.oci.image.layer.v1.tar${suffix}`,
    );
    const error = await importImage(client, junk, { name: NAME, labels: {} }).catch(
      (e: unknown) => e,
    );
    expect(`${(error as StowageError).code} ${error}`).toMatch(
      /^invalid_argument StowageError: Cannot unpack layer /,
    );
    expect(error).toMatchObject({ code: "invalid_argument" });
    expect(await everything(client)).toEqual([]);
  });

  test("a layer that is not what the config says is refused, and nothing is left", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const content = await load(image);
    const lying = {
      ...content,
      diffIds: [...content.diffIds.slice(0, 2), content.diffIds[0] ?? ""],
    };
    await expect(importImage(client, lying, { name: NAME, labels: {} })).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("config says"),
    });
    expect(await everything(client)).toEqual([]);
  });

  test("a layer of an unknown format is refused before anything is written", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const content = await load(image);
    const odd = {
      ...content,
      layers: content.layers.map((layer) => ({ ...layer, mediaType: "application/x-squashfs" })),
    };
    await expect(importImage(client, odd, { name: NAME, labels: {} })).rejects.toMatchObject({
      code: "unimplemented",
    });
    expect(await everything(client)).toEqual([]);
  });

  test("an ingest that was left with bad bytes does not stand in the way", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const { digest = "", size = 0 } = image.layers[1] ?? {};
    for (const bytes of [size, size - 7]) {
      await leaveIngest(client, `layer-${digest}`, digest, size, randomBytes(bytes));
      await importImage(client, await load(image), { name: NAME, labels: {} });
      await expectWhole(image);
      await emptyNamespace(client);
    }
  });

  test("an ingest that was left half-way is continued where it ended", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const { digest = "", size = 0 } = image.layers[1] ?? {};
    const bytes = readFileSync(join(folder, "blobs", digest.replace(":", "/")));
    await leaveIngest(client, `layer-${digest}`, digest, size, bytes.subarray(0, 2_000_001));
    const content = await load(image);
    const offsets: number[] = [];
    const watched = {
      ...content,
      open: (wanted: string, offset?: number) => {
        if (wanted === digest) offsets.push(offset ?? 0);
        return content.open(wanted, offset);
      },
    };
    await importImage(client, watched, { name: NAME, labels: {} });
    expect(offsets).toEqual([2_000_001]);
    await expectWhole(image);
  });

  test("an aborted import rejects with the signal's reason, and the next one completes it", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const content = await load(image);
    const abort = new AbortController();
    const reason = new Error("enough");
    const aborting = {
      ...content,
      open: async function* (digest: string, offset?: number) {
        for await (const part of content.open(digest, offset)) {
          yield part;
          if (digest === content.layers[1]?.digest) abort.abort(reason);
        }
      },
    };
    await expect(
      importImage(client, aborting, { name: NAME, labels: {}, signal: abort.signal }),
    ).rejects.toBe(reason);
    expect(await listImportLeftovers(client)).toEqual([importLeaseId(content.manifest.digest)]);
    await importImage(client, content, { name: NAME, labels: {} });
    await expectWhole(image);
  });

  test("a lease of ours that would end soon is made anew, one of somebody else is never swept", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const content = await load(image);
    const id = importLeaseId(content.manifest.digest);
    const make = (leaseId: string, endsAt: number) =>
      client.unary(
        Leases.method.create,
        { id: leaseId, labels: { "containerd.io/gc.expire": new Date(endsAt).toISOString() } },
        { doing: "test" },
      );
    const soon = Date.now() + 3_600_000;
    await make(id, soon);
    await make("theirs", soon);
    await takeImportLease(client, content.manifest.digest);
    const { leases } = await client.unary(Leases.method.list, {}, { doing: "test" });
    const endsAt = leases.find((lease) => lease.id === id)?.labels["containerd.io/gc.expire"] ?? "";
    expect(Date.parse(endsAt)).toBeGreaterThan(soon + 3_600_000);
    expect(await sweepImports(client)).toEqual([id]);
    expect(await leftovers(client)).toEqual(["lease theirs"]);
  });

  test("sweeping takes away all that an import left", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    const child = await startImport(image, "0");
    child.kill("SIGKILL");
    await once(child, "close");
    await sweepImports(client);
    expect(await leftovers(client)).toEqual([]);
  });

  test("an import killed at each of its messages is completed by the next, with nothing left over", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers: layers.slice(0, 2) });
    let deaths = 0;
    for (let at = 1; ; at += 1) {
      const child = await startImport(image, String(at));
      const [code, signal] = (await once(child, "close")) as [number | null, string | null];
      if (signal === "SIGKILL") deaths += 1;
      else expect(code).toBe(0);
      await importImage(client, await load(image), { name: NAME, labels: {} });
      await expectWhole(image);
      await emptyNamespace(client);
      if (signal === null) break;
    }
    expect(deaths).toBeGreaterThan(15);
  }, 300_000);

  test("an import killed at any instant is completed by the next, with nothing left over", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    for (const delayMs of [2, 5, 9, 14, 20, 27, 35, 45, 60, 80, 110, 150]) {
      const child = await startImport(image, "0");
      // one that is done by then is another of these moments
      const ended = once(child, "close");
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill("SIGKILL");
      await ended;
      await importImage(client, await load(image), { name: NAME, labels: {} });
      await expectWhole(image);
      await emptyNamespace(client);
    }
  }, 300_000);

  async function startImport(image: MadeImage, dieAt: string): Promise<ChildProcess> {
    const args = [
      importer,
      containerd.address,
      client.namespace,
      image.layout,
      image.reference,
      dieAt,
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise<void>((resolve) => {
      child.stdout.once("data", () => resolve());
      child.once("exit", () => resolve());
    });
    return child;
  }

  test("labels are added to a record and taken off one by one", async () => {
    const image = makeImage({ out: folder, reference: REFERENCE, layers });
    await importImage(client, await load(image), {
      name: NAME,
      labels: { "io.x/a.b": "1" },
      labelsIfMade: { made: "yes" },
    });
    await importImage(client, await load(image), {
      name: NAME,
      labels: { c: "2" },
      labelsIfMade: { other: "no" },
    });
    await addImageLabels(client, NAME, { d: "3" });
    const target = { [LABEL_IMAGE_TARGET]: `${image.digest} ${image.digest}` };
    expect((await listImageRecords(client))[0]?.labels).toEqual({
      ...target,
      "io.x/a.b": "1",
      made: "yes",
      c: "2",
      d: "3",
    });
    const left = await removeImageLabel(client, NAME, "io.x/a.b");
    expect(left?.labels).toEqual({ ...target, made: "yes", c: "2", d: "3" });
    await expect(addImageLabels(client, "absent", { a: "1" })).rejects.toMatchObject({
      code: "not_found",
    });
    expect(await removeImageLabel(client, "absent", "a")).toBeUndefined();
    await deleteImageRecord(client, NAME, { sync: true });
    await deleteImageRecord(client, NAME, { sync: true });
    const nothing = { mediaType: "", digest: "", size: 0 };
    await expect(
      writeImageRecord(client, { name: NAME, target: nothing, labels: {} }),
    ).rejects.toMatchObject({
      code: "invalid_argument",
    });
    expect(await everything(client)).toEqual([]);
  });

  test("users are resolved by the image's topmost files, links followed inside it, and no view is left", async () => {
    const link = new Map<string, ImageFile>([
      ["/etc/group", { linkTo: "/share/group" }],
      ["/share/group", { content: "root:x:0:\nnew:x:88:\nextra:x:99:new\n" }],
    ]);
    const image = makeImage({ out: folder, reference: REFERENCE, layers: [...layers, link] });
    await importImage(client, await load(image), { name: NAME, labels: {} });
    const top = chainIds(image.diffIds).at(-1);
    const resolver = new UserResolver(client, {
      files: hostLayerFiles(openLocalHost()),
      snapshotter: SNAPSHOTTER,
    });
    expect(await resolver.resolve(top, "new")).toEqual({ uid: 8, gid: 8, additionalGids: [99] });
    expect(await resolver.resolve(top, "new:extra", ["77"])).toEqual({
      uid: 8,
      gid: 99,
      additionalGids: [77],
    });
    expect(await resolver.resolve(top, "")).toEqual({ uid: 0, gid: 0, additionalGids: [] });
    await expect(resolver.resolve(top, "old")).rejects.toMatchObject({ code: "invalid_argument" });
    expect(await leftovers(client)).toEqual([]);
    await expect(resolver.resolve("sha256:absent", "new")).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

describeWithEngine("containerd", "a connection to containerd", (containerd) => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stw-conn-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("says which version answers", async () => {
    await using connection = await connect({
      host: openLocalHost(),
      socketPath: containerd.address,
    });
    expect(connection.version).toMatch(/^v?\d+\.\d+\.\d+/);
  });

  test("an absent socket, a file, a long path and a relative one are refused, naming the path and the remedy", async () => {
    const absent = join(folder, "absent.sock");
    await expect(connect({ host: openLocalHost(), socketPath: absent })).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringMatching(new RegExp(`"${absent}".*start containerd`)),
    });
    writeFileSync(join(folder, "file"), "");
    await expect(
      connect({ host: openLocalHost(), socketPath: join(folder, "file") }),
    ).rejects.toMatchObject({
      code: "unavailable",
    });
    const long = join(folder, "x".repeat(100));
    await expect(connect({ host: openLocalHost(), socketPath: long })).rejects.toMatchObject({
      code: "invalid_argument",
      message: expect.stringContaining("107"),
    });
    await expect(connect({ host: openLocalHost(), socketPath: "c.sock" })).rejects.toMatchObject({
      code: "invalid_argument",
    });
  });

  test.each([
    { title: "refuses", serve: undefined, firstAnswerMs: 2000 },
    { title: "is silent", serve: () => {}, firstAnswerMs: 300 },
    {
      title: "hangs up",
      serve: (socket: import("node:net").Socket) => socket.destroy(),
      firstAnswerMs: 2000,
    },
    {
      title: "speaks HTTP/1",
      serve: (socket: import("node:net").Socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
      firstAnswerMs: 2000,
    },
  ])("a socket that $title is an unavailable engine", async ({ serve, firstAnswerMs }) => {
    const socketPath = join(folder, "s.sock");
    const server = await listen(socketPath, serve ?? (() => {}));
    if (serve === undefined) {
      // a socket file whose listener died
      cpSync(socketPath, join(folder, "dead"), {
        force: true,
        recursive: true,
        filter: () => false,
      });
      execFileSync("mv", [socketPath, join(folder, "moved.sock")]);
      server.close();
      const dead = join(folder, "moved.sock");
      await expect(
        connect({ host: openLocalHost(), socketPath: dead, firstAnswerMs }),
      ).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/moved\.sock.*nothing listens there; start containerd/),
      });
      return;
    }
    onTestFinished(() => {
      server.close();
    });
    await expect(
      connect({ host: openLocalHost(), socketPath, firstAnswerMs }),
    ).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/s\.sock.*correct the address|check whether containerd/),
    });
  });

  test("a call whose signal is aborted rejects with its reason", async () => {
    await using connection = await connect({
      host: openLocalHost(),
      socketPath: containerd.address,
    });
    const reason = new Error("enough");
    const options = { doing: "test", signal: AbortSignal.abort(reason) };
    await expect(connection.inNamespace("x").unary(Images.method.list, {}, options)).rejects.toBe(
      reason,
    );
    const late = new AbortController();
    const call = connection
      .inNamespace("x")
      .unary(Images.method.list, {}, { doing: "test", signal: late.signal });
    late.abort(reason);
    await expect(call).rejects.toBe(reason);
  });

  test("what the daemon says becomes one error with its code and our words", async () => {
    await using connection = await connect({
      host: openLocalHost(),
      socketPath: containerd.address,
    });
    const client = connection.inNamespace("x");
    await expect(
      client.unary(Images.method.get, { name: "nope" }, { doing: 'look up image "nope"' }),
    ).rejects.toMatchObject({
      code: "not_found",
      message: 'Cannot look up image "nope": image "nope"',
    });
  });
});

async function listen(
  path: string,
  serve: (socket: import("node:net").Socket) => void,
): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(path);
  await once(server, "listening");
  return server;
}

async function snapshots(client: ContainerdClient) {
  const all = [];
  const request = { snapshotter: SNAPSHOTTER };
  for await (const { info } of client.serverStream(Snapshots.method.list, request, {
    doing: "test",
  }))
    all.push(...info);
  return all;
}

async function contentDigests(client: ContainerdClient): Promise<string[]> {
  const all: string[] = [];
  for await (const { info } of client.serverStream(Content.method.list, {}, { doing: "test" })) {
    all.push(...info.map(({ digest }) => digest));
  }
  return all.toSorted();
}

/** What an import must never leave: leases, ingests, snapshots that are not committed. */
async function leftovers(client: ContainerdClient): Promise<string[]> {
  const { leases } = await client.unary(Leases.method.list, {}, { doing: "test" });
  const { statuses } = await client.unary(Content.method.listStatuses, {}, { doing: "test" });
  const active = (await snapshots(client)).filter(({ kind }) => kind !== Kind.COMMITTED);
  return [
    ...leases.map(({ id }) => `lease ${id}`),
    ...statuses.map(({ ref }) => `ingest ${ref}`),
    ...active.map(({ name }) => `snapshot ${name}`),
  ];
}

async function everything(client: ContainerdClient): Promise<string[]> {
  const images = await listImageRecords(client);
  return [
    ...(await leftovers(client)),
    ...images.map(({ name }) => `image ${name}`),
    ...(await contentDigests(client)).map((digest) => `blob ${digest}`),
    ...(await snapshots(client)).map(({ name }) => `snapshot ${name}`),
  ];
}

async function collectGarbage(client: ContainerdClient): Promise<void> {
  await client.unary(Leases.method.create, { id: "collect" }, { doing: "test" });
  await client.unary(Leases.method.delete, { id: "collect", sync: true }, { doing: "test" });
}

async function emptyNamespace(client: ContainerdClient): Promise<void> {
  for (const { name } of await listImageRecords(client)) await deleteImageRecord(client, name);
  const { leases } = await client.unary(Leases.method.list, {}, { doing: "test" });
  for (const { id } of leases) await client.unary(Leases.method.delete, { id }, { doing: "test" });
  const { statuses } = await client.unary(Content.method.listStatuses, {}, { doing: "test" });
  for (const { ref } of statuses)
    await client.unary(Content.method.abort, { ref }, { doing: "test" });
  await collectGarbage(client);
  expect(await everything(client)).toEqual([]);
  await client.unary(Namespaces.method.delete, { name: client.namespace }, { doing: "test" });
}

/** The image with its topmost layer exchanged; its documents are made to agree. */
async function withLayer(
  content: ImageContent,
  bytes: Buffer,
  mediaType: string,
): Promise<ImageContent> {
  const { createHash } = await import("node:crypto");
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return {
    ...content,
    layers: [...content.layers.slice(0, -1), { mediaType, digest, size: bytes.length }],
    diffIds: [...content.diffIds.slice(0, -1), digest],
    open: (wanted, offset = 0) =>
      wanted === digest ? single(bytes.subarray(offset)) : content.open(wanted, offset),
  };
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function leaveIngest(
  client: ContainerdClient,
  ref: string,
  expected: string,
  size: number,
  data: Uint8Array,
): Promise<void> {
  const total = BigInt(size);
  await using call = client.bidi(Content.method.write, { doing: "leave an ingest" });
  await call.send({ action: WriteAction.STAT, ref, total, expected });
  await call.receive();
  await call.send({ action: WriteAction.WRITE, offset: 0n, data });
  await call.receive();
  await call.finish();
}
