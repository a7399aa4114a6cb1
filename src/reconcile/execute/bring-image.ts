import type { ExportedImage, ImageContent, ImageOwnership } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { type AppliedImage, imageName } from "../../model/index.ts";
import type { Step } from "../../plan/index.ts";
import type { HostSession } from "./host-session.ts";
import { counted, type ImageHooks, paced } from "./image-bytes.ts";

type ImportStep = Step & { readonly kind: "import-image" };

/** Failures after which it is worth sending what a host could not get. */
const OUT_OF_REACH: ReadonlySet<string> = new Set([
  "unavailable",
  "deadline_exceeded",
  "unimplemented",
]);

/**
 * Brings an image into a host's engine: handed over by another engine of the host where that has all
 * bytes of it, else from disk or its registry, by who the step says.
 *
 * @throws StowageError `not_found` when it is nowhere
 */
export async function bringImage(
  session: HostSession,
  step: ImportStep,
  ownership: ImageOwnership,
  hooks: ImageHooks,
): Promise<void> {
  const { engine, signal } = session;
  const { reference, digest } = step.image;
  await using exported = await exportFrom(session, step);
  if (exported === undefined) {
    if (step.by === "host" && (await isPulledThere(session, step, ownership, hooks))) return;
    const content = await contentOf(session, step, step.by === undefined ? "here" : "nobody");
    const sent = step.by === undefined ? content : paced(content, session.pace, signal);
    return await engine.importImage(counted(sent, step.sizeBytes, hooks), ownership, { signal });
  }
  const handed = counted(exported.content, step.sizeBytes, hooks);
  await engine.importImage(handed, ownership, { signal });
  const { manifest, config } = exported.content;
  if (manifest.digest === digest) return;
  // its layers have another form there, and so the image has another identity in the new engine
  const image = { reference, digest: manifest.digest, configDigest: config.digest };
  session.handedOver.set(imageName(reference, digest), image);
}

/** Has the host ask the registry. @returns false when it cannot reach it, and is to be sent the image then */
async function isPulledThere(
  session: HostSession,
  step: ImportStep,
  ownership: ImageOwnership,
  hooks: ImageHooks,
): Promise<boolean> {
  const { engine, signal } = session;
  const content = counted(await contentOf(session, step, "elsewhere"), step.sizeBytes, hooks);
  try {
    await engine.importImage(content, ownership, { signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!StowageError.is(error) || !OUT_OF_REACH.has(error.code)) throw error;
    if (step.orSent !== true) throw error;
    hooks.onNote(
      `the host could not pull ${step.image.reference}, so it is sent from here; declare pull: controller to send it right away (${error.message})`,
    );
    return false;
  }
}

async function contentOf(
  { context, observation }: HostSession,
  { image: { reference, digest } }: ImportStep,
  puller: "here" | "elsewhere" | "nobody",
): Promise<ImageContent> {
  return await context.store.contentOf(reference, observation.info.platform, digest, puller);
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
      `Cannot hand image "${reference}" over: its config is ${config} in the old engine, not ${configDigest}; import the image again`,
      { code: "failed_precondition", context: { reference } },
    );
  } catch (error) {
    signal.throwIfAborted();
    // where it is on disk as well, nothing is lost
    if (!StowageError.is(error) || !context.store.has(reference)) throw error;
    return undefined;
  }
}
