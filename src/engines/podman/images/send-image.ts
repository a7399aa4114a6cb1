import { createHash } from "node:crypto";
import * as z from "zod";
import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { imageName } from "../../../model/index.ts";
import { callOptions, type PodmanContext } from "../context.ts";
import { STAGE_PREFIX } from "../store/own-files.ts";
import { LOAD_MS } from "./import-work.ts";

/** What podman's list of layers says of one. */
const StoredLayers = z.array(
  z.looseObject({
    "compressed-diff-digest": z.string().optional(),
    "diff-digest": z.string().optional(),
  }),
);

/** What an image is sent for. */
export interface SentImage {
  readonly content: ImageContent;
  /** Name of ours that the image gets. */
  readonly tag: string;
  /** Folder for what podman writes meanwhile. */
  readonly work: string;
}

/** Folder that an image is sent into: the same one for the same image, so that the next try continues. */
function stageOf({ files }: PodmanContext, { manifest }: ImageContent): string {
  return `${files.importsDir}/${STAGE_PREFIX}${manifest.digest.replace(/^sha256:/, "")}`;
}

/**
 * Sends an image to another machine: into a folder there, without the layers that podman has, and each blob from the
 * byte on that came last. podman reads an archive of that, and verifies it.
 */
export async function sendImage(
  context: PodmanContext,
  sent: SentImage,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stage = stageOf(context, sent.content);
  await context.stages.take(stage, async () => await send(context, sent, signal));
}

async function send(
  context: PodmanContext,
  sent: SentImage,
  signal: AbortSignal | undefined,
): Promise<void> {
  const held = await heldLayers(context, signal);
  try {
    await sendWithout(held, context, sent, signal);
  } catch (error) {
    signal?.throwIfAborted();
    // one that podman lists and cannot use is sent after all
    if (held.size === 0 || !StowageError.is(error) || !/\/blobs\/sha256\//.test(error.message))
      throw error;
    await sendWithout(new Set(), context, sent, signal);
  }
}

async function sendWithout(
  held: ReadonlySet<string>,
  context: PodmanContext,
  sent: SentImage,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, cli } = context;
  const { content, work } = sent;
  const stage = stageOf(context, content);
  const doing = `import image "${imageName(content.reference, content.manifest.digest)}"`;
  const options = { timeoutMs: LOAD_MS, ...callOptions(signal) };
  await writeLayout(context, stage, sent, signal);
  try {
    await sendBlobs(context, stage, content, held, signal);
  } catch (error) {
    // nobody is to go on with bytes that are wrong
    if (StowageError.is(error, "invalid_argument")) await host.removeDirectory(stage);
    throw error;
  }
  const archive = `${work}/image.tar`;
  const packed = await host.run(["tar", "-C", stage, "-cf", archive, "."], options);
  if (packed.exitCode !== 0)
    throw new StowageError(`Cannot ${doing}: tar says: ${packed.stderr.trim().slice(0, 400)}`, {
      code: /space/.test(packed.stderr) ? "resource_exhausted" : "internal",
    });
  // it has come, and would be on the disk twice
  await host.removeDirectory(stage);
  const args = ["load", "--quiet", "--input", archive];
  await cli.read(args, { doing, env: { TMPDIR: work }, ...options });
}

/** Digests of layers that podman has, with and without compression. */
async function heldLayers(
  { host, facts: { graphRoot } }: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const request = { files: [`${graphRoot}/*-layers/layers.json`] };
  const { files } = await host.snapshot(request, callOptions(signal));
  const held = new Set<string>();
  for (const text of files.values()) {
    for (const layer of layersIn(text)) {
      for (const key of ["compressed-diff-digest", "diff-digest"] as const)
        if (layer[key] !== undefined) held.add(layer[key]);
    }
  }
  return held;
}

function layersIn(text: string | Error): z.infer<typeof StoredLayers> {
  try {
    return StoredLayers.safeParse(JSON.parse(String(text))).data ?? [];
  } catch {
    return [];
  }
}

async function writeLayout(
  { host }: PodmanContext,
  stage: string,
  { content: { manifest }, tag }: SentImage,
  signal: AbortSignal | undefined,
): Promise<void> {
  const annotations = { "org.opencontainers.image.ref.name": tag };
  const { mediaType, digest, size } = manifest;
  const index = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [{ mediaType, digest, size, annotations }],
  };
  const options = callOptions(signal);
  await host.writeFile(`${stage}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}', options);
  await host.writeFile(`${stage}/index.json`, JSON.stringify(index), options);
}

async function sendBlobs(
  { host }: PodmanContext,
  stage: string,
  content: ImageContent,
  held: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { manifest, config, layers } = content;
  const wanted = [manifest, config, ...layers.filter(({ digest }) => !held.has(digest))];
  for (const blob of new Map(wanted.map((each) => [each.digest, each])).values()) {
    const path = `${stage}/blobs/${blob.digest.replace(":", "/")}`;
    const { size = 0 } = (await host.inspect(path, callOptions(signal))) ?? {};
    if (size === blob.size) continue;
    const from = size < blob.size ? size : 0;
    await host.appendBytes(path, from, verified(content, blob, from), callOptions(signal));
  }
}

/**
 * A source that does not end is not let fill the disk, and one that is sent whole is verified on its way; what is gone
 * on with, podman alone sees from its beginning.
 */
async function* verified(
  content: ImageContent,
  { digest, size }: BlobDescriptor,
  from: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash("sha256");
  let at = from;
  for await (const part of content.open(digest, from)) {
    at += part.byteLength;
    if (at > size) break;
    hash.update(part);
    yield part;
  }
  const isRight = from > 0 || `sha256:${hash.digest("hex")}` === digest;
  if (at === size && isRight) return;
  const name = imageName(content.reference, content.manifest.digest);
  throw new StowageError(
    `Cannot import image "${name}": the bytes of ${digest} do not match the digest; get the image again`,
    { code: "invalid_argument", context: { image: name, digest } },
  );
}
