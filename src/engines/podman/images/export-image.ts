import { randomBytes } from "node:crypto";
import * as z from "zod";
import type { BlobDescriptor, ExportedImage, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";
import { StoredConfig, storedDefaults } from "../../../image/index.ts";
import { type AppliedImage, imageName } from "../../../model/index.ts";
import { parseAnswer } from "../cli/parse-answer.ts";
import type { PodmanContext } from "../context.ts";
import { IMPORT_PREFIX } from "../store/own-files.ts";
import { storeUsed } from "../store/store-used.ts";
import { findOwnImage } from "./image-files.ts";
import { imageTag } from "./image-tag.ts";

const SAVE_MS = 60 * 60 * 1000;

const Descriptor = z.object({ mediaType: z.string(), digest: z.string(), size: z.int() });
const Index = z.object({ manifests: z.array(Descriptor).length(1) });
const Manifest = z.object({ config: Descriptor, layers: z.array(Descriptor) });

/**
 * Bytes of an image. podman keeps layers unpacked and packs them again: where that comes to the same
 * bytes as before, the manifest is the one that came in.
 */
export async function exportImage(
  context: PodmanContext,
  image: AppliedImage,
  signal: AbortSignal | undefined,
): Promise<ExportedImage | undefined> {
  const { cli, host, files, facts } = context;
  if (!(await storeUsed(host, facts.graphRoot, signal))) return undefined;
  const tag = imageTag(files.scope, image.reference, image.digest);
  const doing = `take out image "${imageName(image.reference, image.digest)}"`;
  const exists = await cli.run(["image", "exists", tag], { doing });
  if (exists.exitCode === 1) return undefined;
  const dir = `${files.importsDir}/${IMPORT_PREFIX}${randomBytes(8).toString("hex")}`;
  await host.makeDirectory(dir, { mode: 0o700 });
  const dispose = async (): Promise<void> => await host.removeDirectory(dir);
  try {
    await cli.read(["save", "--quiet", "--format", "oci-dir", "--output", `${dir}/layout`, tag], {
      doing,
      env: { TMPDIR: dir },
      timeoutMs: SAVE_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    const kept = await findOwnImage(context, imageName(image.reference, image.digest), signal);
    const content = await readLayout(host, `${dir}/layout`, image, kept?.manifest, doing);
    return { content, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function readLayout(
  host: Host,
  dir: string,
  image: AppliedImage,
  original: string | undefined,
  doing: string,
): Promise<ImageContent> {
  const source = { doing, from: '"podman save"' };
  const blob = (digest: string): string => `${dir}/blobs/${digest.replace(":", "/")}`;
  const index = parseAnswer(await readText(host, `${dir}/index.json`), Index, source);
  const [written] = index.manifests as [BlobDescriptor];
  const own = parseAnswer(await readText(host, blob(written.digest)), Manifest, source);
  const first = original === undefined ? undefined : parseAnswer(original, Manifest, source);
  const saved = new Set(own.layers.map(({ digest }) => digest));
  const isSame =
    first?.config.digest === own.config.digest &&
    first.layers.every(({ digest }) => saved.has(digest));
  const { config, layers } = isSame ? (first ?? own) : own;
  const document = parseAnswer(await readText(host, blob(config.digest)), StoredConfig, source);
  const bytes = Buffer.from(original ?? "");
  const manifest = isSame
    ? {
        mediaType: mediaTypeOf(original) ?? written.mediaType,
        digest: image.digest,
        size: bytes.length,
      }
    : written;
  return {
    reference: image.reference,
    manifest,
    config,
    layers,
    diffIds: document.rootfs.diff_ids,
    defaults: storedDefaults(document),
    open: (digest, offset = 0) =>
      isSame && digest === image.digest
        ? once(bytes.subarray(offset))
        : readBytes(host, blob(digest), offset),
  };
}

function mediaTypeOf(manifest: string | undefined): string | undefined {
  const told = z.object({ mediaType: z.string() }).safeParse(JSON.parse(manifest ?? "{}"));
  return told.data?.mediaType;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

async function* readBytes(
  host: Host,
  path: string,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = offset; ; ) {
    const stretch = await host.readFileFrom(path, at);
    if (stretch === undefined) {
      throw new StowageError(
        `Cannot read file "${path}": it is not there; take the image out again`,
        {
          code: "not_found",
          context: { path },
        },
      );
    }
    if (stretch.bytes.byteLength === 0) return;
    at = stretch.nextOffset;
    yield stretch.bytes;
  }
}

async function readText(host: Host, path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of readBytes(host, path, 0)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}
