import type { ExportedImage, ImageOwnership } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { type AppliedImage, imageName } from "../../model/index.ts";
import type { Step } from "../../plan/index.ts";
import type { HostSession } from "./host-session.ts";

type ImportStep = Step & { readonly kind: "import-image" };

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
): Promise<void> {
  const { engine, context, observation, signal } = session;
  const { reference, digest } = step.image;
  await using exported = await exportFrom(session, step);
  if (exported === undefined) {
    const content = await context.store.contentOf(reference, observation.info.platform, digest);
    return await engine.importImage(content, ownership, { signal });
  }
  await engine.importImage(exported.content, ownership, { signal });
  const { manifest, config } = exported.content;
  if (manifest.digest === digest) return;
  // its layers have another form there, and so the image has another identity in the new engine
  const image = { reference, digest: manifest.digest, configDigest: config.digest };
  session.handedOver.set(imageName(reference, digest), image);
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
