import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { App, NameValue } from "./manifest.ts";

/** What the store knows of an image. */
export interface ImageRecord {
  readonly id: string;
  readonly name: string;
  readonly version?: string;
  /** Nanoseconds, as decimal digits. */
  readonly importTime: string;
  readonly lastUsedTime: string;
  readonly blobBytes: number;
  readonly treeBytes: number;
}

export interface ImageManifest {
  readonly name: string;
  readonly labels?: readonly NameValue[];
  readonly app?: App;
  readonly annotations?: readonly NameValue[];
}

/** The images under `cas/` of a data folder; an image is there when its record is. */
export class ImageStore {
  readonly #dir: string;

  constructor(dataDir: string) {
    this.#dir = join(dataDir, "cas");
    for (const part of ["blob", "db", "tree", "tmp"]) {
      mkdirSync(join(this.#dir, part), { recursive: true, mode: 0o750 });
    }
  }

  /** Every image, oldest import first. */
  list(): readonly ImageRecord[] {
    return readdirSync(join(this.#dir, "db"))
      .flatMap((id) => this.#read(id) ?? [])
      .toSorted((a, b) => (BigInt(a.importTime) < BigInt(b.importTime) ? -1 : 1));
  }

  /** The images whose id starts so. */
  byId(prefix: string): readonly ImageRecord[] {
    return this.list().filter(({ id }) => id.startsWith(prefix));
  }

  /** The image of a name that was imported last. */
  byName(name: string, version: string | undefined): ImageRecord | undefined {
    return this.list().findLast(
      (image) => image.name === name && (version === undefined || image.version === version),
    );
  }

  /** Takes the bytes of an ACI in. */
  import(bytes: Buffer): ImageRecord {
    const tar = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
    const id = `sha512-${createHash("sha512").update(tar).digest("hex").slice(0, 64)}`;
    this.#replace(join("blob", id), tar);
    const { name, labels } = this.manifest(id);
    mkdirSync(dirname(this.#manifestFile(id)), { recursive: true });
    writeFileSync(this.#manifestFile(id), this.#manifestText(id));
    const version = labels?.find((label) => label.name === "version")?.value;
    const now = nowNs();
    return this.#write({
      id,
      name,
      ...(version === undefined ? {} : { version }),
      importTime: now,
      lastUsedTime: now,
      blobBytes: tar.length,
      treeBytes: 0,
    });
  }

  /** An image's manifest, as it is in the ACI. */
  manifest(id: string): ImageManifest {
    return JSON.parse(this.#manifestText(id)) as ImageManifest;
  }

  #manifestText(id: string): string {
    const { status, stdout } = spawnSync("tar", ["-xOf", this.blob(id), "manifest"], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`image ${id} has no manifest`);
    return stdout;
  }

  /** Where rkt keeps an image's manifest outside its database. */
  #manifestFile(id: string): string {
    const [kind = "", hash = ""] = id.split("-");
    return join(this.#dir, "imageManifest", kind, hash.slice(0, 2), id);
  }

  /** The file with an image's tar. */
  blob(id: string): string {
    return join(this.#dir, "blob", id);
  }

  /** The folder of an image's tree; its root file system is in it. */
  tree(treeId: string): string {
    return join(this.#dir, "tree", treeId);
  }

  /** Unpacks an image once. @returns the id of its tree */
  render(image: ImageRecord): string {
    const treeId = treeIdOf(image);
    if (!existsSync(this.tree(treeId))) {
      const temporary = join(this.#dir, "tmp", randomUUID());
      mkdirSync(temporary);
      const args = ["-xpf", this.blob(image.id), "--numeric-owner", "-C", temporary];
      if (spawnSync("tar", args).status !== 0) throw new Error(`cannot unpack image ${image.id}`);
      try {
        renameSync(temporary, this.tree(treeId));
      } catch (error) {
        if (!existsSync(this.tree(treeId))) throw error;
        rmSync(temporary, { recursive: true }); // another was quicker
      }
    }
    this.#write({ ...image, lastUsedTime: nowNs(), treeBytes: image.blobBytes });
    return treeId;
  }

  /** Unpacks an image whose tree is not there, as `fetch` does; one that is there it leaves alone. */
  renderNew(image: ImageRecord): void {
    if (!existsSync(this.tree(treeIdOf(image)))) this.render(image);
  }

  /** Forgets an image; pods that were made of it keep its tree. */
  remove(id: string): void {
    rmSync(join(this.#dir, "db", id), { force: true });
    rmSync(this.#manifestFile(id), { force: true });
    rmSync(this.blob(id), { force: true });
  }

  export(id: string, path: string): void {
    copyFileSync(this.blob(id), path);
  }

  /** Removes trees that no pod has. @returns their ids */
  removeTrees(used: ReadonlySet<string>): readonly string[] {
    const unused = readdirSync(join(this.#dir, "tree")).filter((treeId) => !used.has(treeId));
    for (const treeId of unused) rmSync(this.tree(treeId), { recursive: true, force: true });
    return unused.toSorted();
  }

  #read(id: string): ImageRecord | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#dir, "db", id), "utf8")) as ImageRecord;
    } catch {
      return undefined; // removed since
    }
  }

  #write(image: ImageRecord): ImageRecord {
    this.#replace(join("db", image.id), JSON.stringify(image));
    return image;
  }

  #replace(name: string, content: string | Buffer): void {
    const temporary = join(this.#dir, "tmp", randomUUID());
    writeFileSync(temporary, content);
    renameSync(temporary, join(this.#dir, name));
  }
}

/** Now in nanoseconds, as digits; two calls never get the same. */
function nowNs(): string {
  const fraction = process.hrtime.bigint() % 1_000_000n;
  return `${BigInt(Date.now()) * 1_000_000n + fraction}`;
}

function treeIdOf({ id }: ImageRecord): string {
  return `deps-sha512-${createHash("sha512").update(id).digest("hex").slice(0, 64)}`;
}
