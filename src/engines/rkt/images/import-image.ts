import type { ImageContent, ImageOwnership } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { verifyStream } from "../../../image/index.ts";
import { Turns } from "../../../internal/index.ts";
import { imageName } from "../../../model/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import { imageKey } from "../layout.ts";
import { aciName, type ImageRecord, parseImageRecord } from "./image-record.ts";
import { reserveImageSpace } from "./image-space.ts";
import { claimFile } from "./ownership.ts";
import { removeImport } from "./remove-image.ts";
import { type AccountTexts, layOut, writeAci } from "./write-aci.ts";

/** At one file: images that are imported at once share layers. */
const writing = new Turns();

/**
 * Brings an image in: its own bytes, kept since an ACI cannot give them back, then the ACI.
 *
 * The record names what is on its way before anything is written, and holds the ACI's id at the end. A
 * failure leaves nothing; what a killed import leaves is found by the record, and taken over by the next.
 */
export async function importImage(
  context: RktContext,
  content: ImageContent,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const name = imageName(content.reference, content.manifest.digest);
  const key = imageKey(name);
  const { host, layout, images } = context;
  try {
    await images.together(async () => {
      if (!(await isImported(context, key, signal)))
        await bringIn(context, content, name, key, signal);
      await host.writeFile(...claimFile(layout, key, ownership), callOptions(signal));
    });
  } catch (error) {
    // after an abort nobody waits for this: the next pass finds what is left
    if (signal?.aborted !== true) await images.alone(() => dropFailed(context, key));
    throw error;
  }
}

/** Removes what a failed import left, if anybody else's did not bring it in meanwhile. */
async function dropFailed(context: RktContext, key: string): Promise<void> {
  try {
    if (!(await isImported(context, key, undefined))) await removeImport(context, key);
  } catch {
    // the import's own failure says more
  }
}

async function isImported(
  { host, layout, cli }: RktContext,
  key: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const file = `${layout.imageDir(key)}/image.json`;
  const { files } = await host.snapshot({ files: [file] }, callOptions(signal));
  const aci = parseImageRecord(files.get(file))?.aci;
  if (aci === undefined) return false;
  return (await cli.listImages(signal)).some(({ id }) => id === aci);
}

async function bringIn(
  context: RktContext,
  content: ImageContent,
  name: string,
  key: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, layout, cli } = context;
  if (content.layers.length !== content.diffIds.length)
    throw new StowageError(
      `Cannot import image "${name}": its manifest has ${content.layers.length} layers, its config ${content.diffIds.length}; build the image again`,
      { code: "invalid_argument", context: { image: name } },
    );
  using _ = await reserveImageSpace(context, content, name, signal);
  const recordFile = `${layout.imageDir(key)}/image.json`;
  const record = recordOf(content, name);
  await host.writeFile(recordFile, JSON.stringify(record), callOptions(signal));
  await keepBlobs(context, content, signal);
  const tree = await layOut(content, signal);
  const accounts: AccountTexts = { passwd: "", group: "" };
  const aci = writeAci(content, tree, aciManifest(content, aciName(layout, key)), accounts);
  await host.writeBytes(layout.aciFile(key), aci, callOptions(signal));
  const id = await cli.fetch(layout.aciFile(key), signal);
  await host.removeFile(layout.aciFile(key));
  await host.writeFile(recordFile, JSON.stringify({ ...record, aci: id, accounts }));
}

/** Keeps the manifest, the config and the layers as they are; a blob that is there was verified. */
async function keepBlobs(
  { host, layout }: RktContext,
  content: ImageContent,
  signal: AbortSignal | undefined,
): Promise<void> {
  const blobs = new Map(
    [content.manifest, content.config, ...content.layers].map((blob) => [blob.digest, blob]),
  );
  const files = [...blobs.keys()].map((digest) => layout.blobFile(digest));
  const { existing } = await host.snapshot({ exist: files }, callOptions(signal));
  for (const { digest, size } of blobs.values()) {
    const file = layout.blobFile(digest);
    if (existing.has(file)) continue;
    await writing.take(file, async () => {
      // another image's import may have brought it meanwhile
      const now = await host.snapshot({ exist: [file] }, callOptions(signal));
      if (now.existing.has(file)) return;
      const bytes = verifyStream(content.open(digest), digest, size);
      await host.writeBytes(file, bytes, callOptions(signal));
    });
  }
}

function recordOf(content: ImageContent, name: string): ImageRecord {
  const { reference, manifest, config, layers, diffIds, defaults } = content;
  const { env, entrypoint, cmd, workingDir, user, stopSignal } = defaults;
  const record = {
    version: 1,
    name,
    reference,
    manifest,
    config,
    layers,
    diffIds,
    defaults: { env, entrypoint, cmd, workingDir, user, stopSignal },
  };
  return JSON.parse(JSON.stringify(record)) as ImageRecord;
}

/** appc's names of processors, by Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "i386",
  arm64: "aarch64",
  arm: "armv7l",
  ppc64: "ppc64le",
};

/**
 * The manifest of an image in rkt's form. It says nothing of how to run the image: pod manifests do.
 * rkt prepares no image without a system and a processor.
 */
function aciManifest({ reference, manifest, config }: ImageContent, name: string): string {
  return JSON.stringify({
    acKind: "ImageManifest",
    acVersion: "0.8.11",
    name,
    labels: [
      { name: "version", value: manifest.digest.replace(/^sha256:/, "").slice(0, 16) },
      { name: "os", value: "linux" },
      { name: "arch", value: ARCHITECTURES[process.arch] ?? process.arch },
    ],
    annotations: [
      { name: "io.stowage/reference", value: reference },
      { name: "io.stowage/manifest", value: manifest.digest },
      { name: "io.stowage/config", value: config.digest },
    ],
  });
}
