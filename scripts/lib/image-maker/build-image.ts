import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { ImageDescriptor, Platform } from "../../../src/image/index.ts";
import { parseImageReference } from "../../../src/model/index.ts";
import { type LayerFiles, layerTar } from "./layer-tar.ts";

const REF_NAME = "org.opencontainers.image.ref.name";

/** How layers are packed. */
export type LayerCompression = "gzip" | "none" | "zstd";
/** Whose media types the documents carry. */
export type MediaTypeFamily = "oci" | "docker";

/** How the image is run. */
export interface MadeImageConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly exposedPorts?: readonly string[];
  readonly volumes?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
}

/** What {@link makeImage} makes. */
export interface MakeImageOptions {
  /** The layout's folder; other images in it stay, one of the same reference is replaced. */
  readonly out: string;
  readonly reference: string;
  /** Files of one layer. */
  readonly files?: LayerFiles;
  /** Files of several layers, lowest first; `files` comes on top. */
  readonly layers?: readonly LayerFiles[];
  readonly config?: MadeImageConfig;
  /** @defaultValue gzip */
  readonly compression?: LayerCompression;
  /** @defaultValue oci */
  readonly mediaTypes?: MediaTypeFamily;
  /**
   * Makes an index with the same layers for each.
   *
   * @defaultValue no index, one manifest for this machine
   */
  readonly platforms?: readonly Platform[];
}

/** Where everything is. */
export interface MadeImage {
  readonly layout: string;
  /** The reference with every default written out. */
  readonly reference: string;
  /** The index's digest, or the manifest's where there is no index. */
  readonly digest: string;
  readonly manifests: readonly (ImageDescriptor & { readonly platform: Platform })[];
  readonly config: ImageDescriptor;
  readonly layers: readonly ImageDescriptor[];
  readonly diffIds: readonly string[];
}

const TYPES = {
  oci: {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar",
    separator: "+",
  },
  docker: {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar",
    separator: ".",
  },
} as const;

/** Whether layers can be packed with zstd here. */
export function hasZstd(): boolean {
  return spawnSync("zstd", ["--version"]).status === 0;
}

/** The platform of this machine. */
export function thisPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
  const architecture = names[process.arch] ?? process.arch;
  return { os: "linux", architecture, ...(architecture === "arm64" ? { variant: "v8" } : {}) };
}

/** Makes an OCI layout with one image, the same bytes on every run; needs no network and no root. */
export function makeImage(options: MakeImageOptions): MadeImage {
  const { out, mediaTypes = "oci", compression = "gzip" } = options;
  const types = TYPES[mediaTypes];
  const reference = parseImageReference(options.reference).canonical;
  mkdirSync(join(out, "blobs/sha256"), { recursive: true });
  const contents = [...(options.layers ?? []), ...(options.files ? [options.files] : [])];
  const tars = contents.map(layerTar);
  const suffix = compression === "none" ? "" : `${types.separator}${compression}`;
  const layers = tars.map((tar) => putBlob(out, `${types.layer}${suffix}`, pack(tar, compression)));
  const diffIds = tars.map(sha256);
  const platforms = options.platforms ?? [thisPlatform()];
  const made = platforms.map((platform) => {
    const document = configDocument(platform, diffIds, options.config ?? {});
    const config = putBlob(out, types.config, document);
    const manifest = { schemaVersion: 2, mediaType: types.manifest, config, layers };
    return { config, entry: { ...putBlob(out, types.manifest, manifest), platform } };
  });
  const manifests = made.map(({ entry }) => entry);
  const index = { schemaVersion: 2, mediaType: types.index, manifests };
  const top = options.platforms === undefined ? made[0]?.entry : putBlob(out, types.index, index);
  const config = made[0]?.config;
  if (top === undefined || config === undefined) {
    throw new Error(`Cannot make image "${reference}": it has no platform; name one`);
  }
  writeLayout(out, { ...top, annotations: { [REF_NAME]: reference } });
  return { layout: out, reference, digest: top.digest, manifests, config, layers, diffIds };
}

function configDocument(platform: Platform, diffIds: readonly string[], config: MadeImageConfig) {
  const keys = (names: readonly string[] | undefined) =>
    names === undefined ? undefined : Object.fromEntries(names.map((name) => [name, {}]));
  const env = config.env ?? {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
  return {
    created: "1970-01-01T00:00:00Z",
    ...platform,
    config: {
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      Entrypoint: config.entrypoint,
      Cmd: config.cmd,
      User: config.user,
      WorkingDir: config.workingDir,
      ExposedPorts: keys(config.exposedPorts),
      Volumes: keys(config.volumes),
      Labels: config.labels,
      StopSignal: config.stopSignal,
    },
    rootfs: { type: "layers", diff_ids: diffIds },
  };
}

function pack(tar: Buffer, compression: LayerCompression): Buffer {
  if (compression === "none") return tar;
  if (compression === "gzip") return gzipSync(tar);
  const args = ["-q", "-3", "--single-thread", "-c"];
  const { status, stdout } = spawnSync("zstd", args, { input: tar, maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error("Cannot pack a layer with zstd: it failed; install zstd");
  return stdout;
}

/** Writes bytes, or the JSON of a document, under their digest. */
function putBlob(out: string, mediaType: string, content: object): ImageDescriptor {
  const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
  const digest = sha256(bytes);
  const path = join(out, "blobs", digest.replace(":", "/"));
  if (!existsSync(path)) replaceFile(path, bytes);
  return { mediaType, digest, size: bytes.length };
}

function writeLayout(
  out: string,
  entry: ImageDescriptor & { readonly annotations: Readonly<Record<string, string>> },
): void {
  const path = join(out, "index.json");
  const present: { manifests: { annotations?: Readonly<Record<string, string>> }[] } = existsSync(
    path,
  )
    ? JSON.parse(readFileSync(path, "utf8"))
    : { manifests: [] };
  const others = present.manifests.filter(
    ({ annotations }) => annotations?.[REF_NAME] !== entry.annotations[REF_NAME],
  );
  const index = { schemaVersion: 2, mediaType: TYPES.oci.index, manifests: [...others, entry] };
  replaceFile(join(out, "oci-layout"), Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  replaceFile(path, Buffer.from(JSON.stringify(index)));
}

function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, bytes);
  renameSync(temporary, path);
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
