import { randomBytes } from "node:crypto";
import type { ImageContent, ImageOwnership } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { type AppliedImage, imageName } from "../../../model/index.ts";
import type { ListedImage } from "../cli/answers.ts";
import { nothingDone, podmanError } from "../cli/podman-error.ts";
import type { PodmanContext } from "../context.ts";
import { listContainers } from "../pods/lists.ts";
import { IMPORT_PREFIX } from "../store/own-files.ts";
import { storeUsed } from "../store/store-used.ts";
import { archiveStream } from "./archive-stream.ts";
import { findOwnImage, removeOwnership, writeOwnership } from "./image-files.ts";
import { imageExists, listImages } from "./image-list.ts";
import { reserveImageSpace } from "./image-space.ts";
import { imageTag, isImageTag } from "./image-tag.ts";
import { LOAD_MS, removeWork } from "./import-work.ts";

/** Bytes that a manifest may have to be kept. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Brings an image in, and writes down that a fleet uses it. */
export async function importForFleet(
  context: PodmanContext,
  content: ImageContent,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { reference, manifest, config } = content;
  const tag = imageTag(context.files.scope, reference, manifest.digest);
  const id = config.digest.replace(/^sha256:/, "");
  await context.imports.together(async () => {
    const image = { reference, digest: manifest.digest, configDigest: config.digest };
    if (!(await isLoaded(context, image, id, signal)))
      await bring(context, content, tag, id, signal);
    signal?.throwIfAborted();
    const document = await manifestOf(content);
    await writeOwnership(
      context,
      { reference, digest: manifest.digest, id, manifest: document },
      ownership,
    );
  });
}

/** Whether our name leads to the image: somebody may have given it to another one. */
async function isLoaded(
  context: PodmanContext,
  image: AppliedImage,
  id: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const name = imageName(image.reference, image.digest);
  context.images.forget(name);
  try {
    if ((await context.images.read(image)).id === id) return true;
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
  signal?.throwIfAborted();
  context.images.forget(name);
  return false;
}

async function bring(
  context: PodmanContext,
  content: ImageContent,
  tag: string,
  id: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { cli, host, files } = context;
  const name = imageName(content.reference, content.manifest.digest);
  using _ = await reserveImageSpace(context, content, signal);
  // podman works there first, and leaves that behind when it is killed
  const work = `${files.importsDir}/${IMPORT_PREFIX}${randomBytes(8).toString("hex")}`;
  await host.makeDirectory(work, { mode: 0o700 });
  try {
    if (content.registry === undefined && host.address !== "local") {
      const { sendImage } = await import("./send-image.ts");
      await sendImage(context, { content, tag, work }, signal);
    } else if (content.registry === undefined) {
      await cli.read(["load", "--quiet"], {
        doing: `import image "${name}"`,
        stdin: archiveStream(content, tag),
        env: { TMPDIR: work },
        timeoutMs: LOAD_MS,
        ...(signal === undefined ? {} : { signal }),
      });
    } else {
      const { pullImage } = await import("./pull-image.ts");
      await pullImage(context, { content, origin: content.registry, tag, work }, signal);
    }
  } finally {
    await removeWork(context, work);
  }
  if (!(await imageExists(context, tag, signal)))
    throw nothingDone(`import image "${name}"`, ["load"]);
  const { reference, manifest } = content;
  if ((await context.images.read({ reference, digest: manifest.digest })).id === id) return;
  throw new StowageError(
    `Cannot import image "${name}": podman created a different image from it; check that this version of podman is supported`,
    { code: "internal", context: { image: name } },
  );
}

async function manifestOf({ manifest, open }: ImageContent): Promise<string> {
  if (manifest.size > MAX_MANIFEST_BYTES) {
    throw new StowageError(
      `Cannot import an image whose manifest has more than ${MAX_MANIFEST_BYTES} bytes`,
      { code: "invalid_argument", context: { digest: manifest.digest } },
    );
  }
  const parts: Uint8Array[] = [];
  for await (const part of open(manifest.digest)) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

/** Writes down that a fleet uses an image that is there; one of somebody else's gets a name of ours. */
export async function claimImage(
  context: PodmanContext,
  image: AppliedImage,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { reference, digest, configDigest } = image;
  const tag = imageTag(context.files.scope, reference, digest);
  const name = imageName(reference, digest);
  const ours = configDigest?.replace(/^sha256:/, "");
  if (ours !== undefined && (await isLoaded(context, image, ours, signal))) {
    return await writeOwnership(context, { ...image, id: ours }, ownership);
  }
  const found = (await listImages(context, signal)).find((each) => isImage(each, image, tag));
  if (found === undefined) {
    throw new StowageError(`Cannot use image "${name}": it is not in podman; import it first`, {
      code: "not_found",
      context: { image: name },
    });
  }
  if (!found.Names.includes(tag)) {
    const doing = `name image "${name}"`;
    await context.cli.change(["tag", found.Id, tag], { doing });
    if (!(await imageExists(context, tag, signal))) throw nothingDone(doing, ["tag"]);
  }
  signal?.throwIfAborted();
  await writeOwnership(context, { ...image, id: found.Id }, ownership);
}

function isImage(
  { Id, Names, RepoDigests, Digest }: ListedImage,
  { digest, configDigest }: AppliedImage,
  tag: string,
): boolean {
  return (
    Names.includes(tag) ||
    configDigest === `sha256:${Id}` ||
    Digest === digest ||
    RepoDigests.some((each) => each.endsWith(`@${digest}`))
  );
}

/**
 * Takes a fleet's use back; the image goes with the last, when no container is made from it. What is written
 * of its use goes last: what ends before that is begun again.
 */
export async function releaseImage(
  context: PodmanContext,
  name: string,
  ownership: ImageOwnership,
  signal: AbortSignal | undefined,
): Promise<void> {
  const image = await findOwnImage(context, name, signal);
  if (image === undefined) return;
  const claim = `${ownership.owner}/${ownership.fleet}`;
  const isLast = image.fleets.every((fleet) => fleet === claim);
  const { reference, digest, id } = image;
  if (isLast && (await removeImage(context, reference, digest, id, signal))) return;
  await removeOwnership(context, name, ownership);
}

/** @returns false when a container is made of it, and it stays */
async function removeImage(
  context: PodmanContext,
  reference: string,
  digest: string,
  id: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const name = imageName(reference, digest);
  if (await storeUsed(context.host, context.facts.graphRoot, signal)) {
    const tag = imageTag(context.files.scope, reference, digest);
    const [users, images] = await Promise.all([
      listContainers(context, signal),
      listImages(context, signal),
    ]);
    // what holds it for another state directory, whose containers may be the ones that use it
    const names = images.flatMap(({ Id, Names }) => (Id === id ? Names : []));
    const isHeld = names.some((each) => each !== tag && isImageTag(each));
    if (!isHeld && users.some(({ ImageID }) => ImageID === id)) return false;
    context.images.forget(name);
    await untag(context, tag);
  }
  await context.host.removeDirectory(context.files.imageDir(name));
  return true;
}

/** Takes a name of ours off; an image without another name goes with it. Absent: nothing happens. */
export async function untag(context: PodmanContext, tag: string): Promise<void> {
  const { cli } = context;
  const doing = `remove image "${tag}"`;
  const args = ["image", "rm", tag];
  const result = await cli.run(args, { doing });
  // 1: it is not there
  if (result.exitCode > 1) throw podmanError(doing, args, result);
  if (await imageExists(context, tag, undefined)) throw nothingDone(doing, args);
}
