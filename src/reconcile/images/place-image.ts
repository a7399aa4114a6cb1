import { type AppliedImage, imageName, type ObservedImage } from "../../model/index.ts";
import type { HostObservation, ImageResolution } from "../../plan/index.ts";

/** What is known of a host's images. */
interface KnownImages {
  readonly observation: HostObservation;
  /** What was last applied to the host's pods. */
  readonly applied: readonly AppliedImage[];
}

/** Images of a host: its engine's, and those that other engines of it could hand over. */
export function imagesOn({ engine, others }: HostObservation): readonly ObservedImage[] {
  const handed = others.flatMap((each) => (each.kind === "observed" ? each.engine.images : []));
  // one without a digest in its name could not be asked for
  return [...engine.images, ...handed.filter(({ name }) => name.includes("@"))];
}

/**
 * Settles which image of a host a resolved reference is. The manifest's digest is the identity; where
 * an engine keeps layers in another form, and so has another manifest, the config's digest decides.
 * What the host's engine lacks another one may hand over.
 */
export function placeImage(known: KnownImages, resolution: ImageResolution): ImageResolution {
  if (resolution.kind === "unresolved") return resolution;
  const { engine, others } = known.observation;
  const { reference, digest } = resolution.image;
  if (engine.images.some((each) => each.digest === digest)) return resolution;
  const config = resolution.image.configDigest ?? configOf(known, digest);
  const same = sameImage(known, engine.images, reference, config);
  if (same !== undefined) {
    const image = { reference, digest: same.digest, ...(config ? { configDigest: config } : {}) };
    return { ...resolution, image };
  }
  for (const other of others) {
    if (other.kind !== "observed") continue;
    const { images } = other.engine;
    const held =
      images.find(({ name }) => name === imageName(reference, digest)) ??
      sameImage(known, images, reference, config);
    if (held === undefined) continue;
    return { ...resolution, from: { engine: other.config, digest: held.digest } };
  }
  return resolution;
}

function sameImage(
  known: KnownImages,
  images: readonly ObservedImage[],
  reference: string,
  config: string | undefined,
): ObservedImage | undefined {
  if (config === undefined) return undefined;
  return images.find(
    ({ name, digest, configDigest }) =>
      name === imageName(reference, digest) && (configDigest ?? configOf(known, digest)) === config,
  );
}

/** Not every engine reports it; what was applied says it as well. */
function configOf({ applied }: KnownImages, digest: string): string | undefined {
  return applied.find((each) => each.digest === digest)?.configDigest;
}
