import type { ExportedImage, ImageContent, ImageOwnership } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { type AppliedImage, imageName } from "../../model/index.ts";
import type { Step } from "../../plan/index.ts";
import type { HostSession } from "./host-session.ts";

type ImportStep = Step & { readonly kind: "import-image" };

/** Told how many bytes of an image have come. */
export type OnBytes = (bytes: number, ofBytes: number | undefined) => void;

/** Shortest time between two reports of bytes. */
const REPORT_MS = 250;

/**
 * Brings an image into a host's engine: handed over by another engine of the host where that has all
 * bytes of it, else from disk.
 *
 * @throws StowageError `not_found` when neither has it
 */
export async function bringImage(
  session: HostSession,
  step: ImportStep,
  ownership: ImageOwnership,
  onBytes: OnBytes,
): Promise<void> {
  const { engine, host, context, observation, signal } = session;
  const { reference, digest } = step.image;
  await using exported = await exportFrom(session, step);
  if (exported === undefined) {
    const content = await context.store.contentOf(reference, observation.info.platform, digest);
    const had = host.address === "local" ? content : fromHere(content);
    return await engine.importImage(counted(had, step, onBytes), ownership, { signal });
  }
  await engine.importImage(counted(exported.content, step, onBytes), ownership, { signal });
  const { manifest, config } = exported.content;
  if (manifest.digest === digest) return;
  // its layers have another form there, and so the image has another identity in the new engine
  const image = { reference, digest: manifest.digest, configDigest: config.digest };
  session.handedOver.set(imageName(reference, digest), image);
}

/** The same image by its bytes alone: how registries are reached is said of this machine, and no other. */
function fromHere({ registry: _, ...content }: ImageContent): ImageContent {
  return content;
}

/** The same image, telling of its bytes as they are read. */
function counted(content: ImageContent, { sizeBytes }: ImportStep, onBytes: OnBytes): ImageContent {
  let bytes = 0;
  let toldAt = performance.now();
  async function* count(parts: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const part of parts) {
      bytes += part.byteLength;
      yield part;
      if (performance.now() - toldAt < REPORT_MS) continue;
      toldAt = performance.now();
      onBytes(bytes, sizeBytes);
    }
  }
  const { registry } = content;
  const told = registry && { ...registry, onBytes: (come: number) => onBytes(come, sizeBytes) };
  return {
    ...content,
    ...(told === undefined ? {} : { registry: told }),
    open: (digest, offset) => count(content.open(digest, offset)),
  };
}

/** The image as a generation that is made now finds it in the engine. */
export function handedImage({ handedOver }: HostSession, image: AppliedImage): AppliedImage {
  return handedOver.get(imageName(image.reference, image.digest)) ?? image;
}

async function exportFrom(
  { engineAt, signal, context }: HostSession,
  { image, from }: ImportStep,
): Promise<ExportedImage | undefined> {
  if (from === undefined) return undefined;
  const { reference, configDigest } = image;
  const asked = { ...image, digest: from.digest };
  try {
    const exported = await (await engineAt(from.engine)).exportImage(asked, { signal });
    const config = exported?.content.config.digest;
    if (config === undefined || configDigest === undefined || config === configDigest) {
      return exported;
    }
    await exported?.[Symbol.asyncDispose]();
    throw new StowageError(
      `Cannot hand image "${reference}" over: its config is ${config} in the old engine, not ${configDigest}; bring the image anew`,
      { code: "failed_precondition", context: { reference } },
    );
  } catch (error) {
    signal.throwIfAborted();
    // where it is on disk as well, nothing is lost
    if (!StowageError.is(error) || !context.store.has(reference)) throw error;
    return undefined;
  }
}
