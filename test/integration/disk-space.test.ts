import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import {
  startPrivateContainerd,
  stopPrivateContainerd,
} from "../../scripts/lib/private-containerd.ts";
import { createConnector } from "../../src/cli/connector.ts";
import type { ImageContent } from "../../src/engine/index.ts";
import type { HostSpec } from "../../src/model/index.ts";
import { ImageStore } from "../../src/reconcile/images/image-store.ts";
import { describeWithEngine, type ProvidedEngine } from "../set-up/describe-with-engine.ts";
import { mountsNaming } from "../support/engines/look-around.ts";
import { openLab } from "../support/engines/open-lab.ts";

const MB = 1_000_000;
const DISK_MB = 48;
const REFERENCE = "docker.io/library/app:1";
const OWNERSHIP = { owner: "owner-1", fleet: "shop" };
type Kind = "containerd" | "podman" | "rkt";

/** A file system of {@link DISK_MB}, on which an engine and Stowage keep all that they have. */
class SmallDisk implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "stw-sd-"));
  readonly #layouts = mkdtempSync(join(tmpdir(), "stw-layouts-"));
  readonly #daemon = join(this.folder, "c");
  readonly #stateDir = join(this.folder, "state");
  #lab: ReturnType<typeof openLab> | undefined;

  async open(kind: Kind, engine: ProvidedEngine): Promise<HostSpec> {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "stw", this.folder]);
    const own =
      kind === "containerd" ? await startPrivateContainerd({ dir: this.#daemon }) : undefined;
    const address = own?.address ?? engine.address;
    this.#lab = openLab(
      kind,
      { ...engine, address },
      { folder: this.folder, stateDir: this.#stateDir },
    );
    const runDir = join(this.folder, "run");
    return { address: "local", engine: this.#lab.config, stateDir: this.#stateDir, runDir };
  }

  /** An image of so many bytes that cannot be compressed; itself it lies elsewhere. */
  async image(bytes: number): Promise<ImageContent> {
    const out = mkdtempSync(join(this.#layouts, "layout-"));
    const files = new Map([["/noise", { content: randomBytes(bytes) }]]);
    busyboxImage({ out, reference: REFERENCE, files });
    const platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
    const store = new ImageStore({ images: { [REFERENCE]: { layout: out } } }, out);
    const { manifest } = await store.resolve(REFERENCE, platform);
    return await store.contentOf(REFERENCE, platform, manifest.digest);
  }

  usedBytes(): number {
    const df = execFileSync("df", ["-B1", "--output=used", this.folder], { encoding: "utf8" });
    return Number(df.split("\n")[1]);
  }

  fill(): void {
    try {
      const file = `of=${join(this.folder, "filler")}`;
      execFileSync("dd", ["if=/dev/zero", file, "bs=64k"], { stdio: "ignore" });
    } catch {
      // it ends when nothing is left
    }
  }

  free(): void {
    rmSync(join(this.folder, "filler"), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.free();
    if (this.#lab?.kind === "containerd") await stopPrivateContainerd(this.#daemon);
    else await this.#lab?.close();
    for (const path of mountsNaming(this.folder).toReversed()) execFileSync("umount", [path]);
    for (const folder of [this.folder, this.#layouts])
      rmSync(folder, { recursive: true, force: true });
  }
}

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `a disk that is too small for an image, on ${kind}`, (engine) => {
    test("is found before anything is written; one that fills meanwhile is left as it was", async () => {
      await using disk = new SmallDisk();
      const spec = await disk.open(kind, engine);
      await using access = await createConnector().open("here", spec);
      const ours = async () => {
        const { images, leftovers } = await access.engine.observe();
        return { images: images.filter(({ fleets }) => fleets !== undefined), leftovers };
      };
      await ours();
      const before = disk.usedBytes();
      await expect(
        access.engine.importImage(await disk.image(60 * MB), OWNERSHIP),
      ).rejects.toMatchObject({
        code: "resource_exhausted",
        message: expect.stringMatching(
          /^Cannot import image "[^"]+": it needs at least \d+\.\d MB in the file system of \S+, and \d+\.\d MB are free there; make room, by stowage prune perhaps$/,
        ),
      });
      expect(disk.usedBytes() - before).toBeLessThan(MB);

      const content = await disk.image(8 * MB);
      const filling: ImageContent = {
        ...content,
        open: (digest, offset) => {
          if (digest === content.layers.at(-1)?.digest) disk.fill();
          return content.open(digest, offset);
        },
      };
      await expect(access.engine.importImage(filling, OWNERSHIP)).rejects.toMatchObject({
        code: "resource_exhausted",
      });
      disk.free();
      expect(await ours()).toEqual({ images: [], leftovers: [] });
      // a daemon collects what nothing holds any more when it comes to it
      const deadline = Date.now() + 30_000;
      while (disk.usedBytes() - before > 2 * MB && Date.now() < deadline) await delay(100);
      expect(disk.usedBytes() - before).toBeLessThan(2 * MB);
      await access.engine.importImage(content, OWNERSHIP);
      expect((await ours()).images).toHaveLength(1);
    }, 120_000);
  });
}
