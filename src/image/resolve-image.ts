import { StowageError } from "../errors/index.ts";
import { parseImageReference } from "../model/index.ts";
import type { ImageSource } from "./blob-source.ts";
import { checkLayers } from "./check-layers.ts";
import type { ImageDescriptor } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import { findManifest } from "./find-manifest.ts";
import { type ImageConfig, toImageConfig } from "./image-config.ts";
import { formatPlatform, type Platform } from "./platform.ts";
import { selectEntries } from "./select-entries.ts";

/** One image for one platform: what has to be copied, and how to run it. */
export interface ResolvedImage {
  /** The reference with every default written out, as `ImageReference.canonical`. */
  readonly reference: string;
  /** What the chosen manifest was built for, in its index's words. */
  readonly platform: Platform;
  readonly manifest: ImageDescriptor;
  /** The index that the manifest was chosen from, when there is one. */
  readonly index?: ImageDescriptor;
  /** Where indexes are nested, those between `index` and `manifest`, outermost first. */
  readonly nestedIndexes: readonly ImageDescriptor[];
  readonly config: ImageDescriptor;
  /** Lowest first. */
  readonly layers: readonly ImageDescriptor[];
  /** Digests of the layers unpacked, in their order. */
  readonly diffIds: readonly string[];
  readonly imageConfig: ImageConfig;
}

/** How to resolve. */
export interface ResolveImageOptions {
  /** The index's or the platform manifest's digest that the image must have. */
  readonly digest?: string;
  readonly signal?: AbortSignal;
}

/**
 * Finds an image and the manifest for a platform.
 *
 * Indexes, manifest and config are verified by digest and size; layers are there and have their
 * size, and are verified by who reads them. A digest in the reference counts as one in the options.
 *
 * @throws StowageError `not_found` when the source has no such image, no such platform, or lacks a blob.
 * @throws StowageError `failed_precondition` when the image has another digest than the one pinned.
 * @throws StowageError `invalid_argument` when a document does not fit; it names file and field.
 */
export async function resolveImage(
  source: ImageSource,
  reference: string,
  platform: Platform,
  options: ResolveImageOptions = {},
): Promise<ResolvedImage> {
  const wanted = parseImageReference(reference);
  const pins = [wanted.digest, options.digest].filter((digest) => digest !== undefined);
  for (const pin of pins) checkPin(pin, reference);
  const entries = selectEntries(source, wanted, pins);
  const found = await findManifest(source, entries, platform, pins, options.signal);
  if (!("manifest" in found)) {
    throw new StowageError(
      `Cannot use image "${reference}" in "${source.location}": it is not built for ${formatPlatform(platform)}, only for ${found.platforms.map(formatPlatform).join(", ") || "no platform at all"}; build it for that platform too`,
      { code: "not_found", context: { reference, platform: formatPlatform(platform) } },
    );
  }
  const { manifest, indexes, manifestDocument, configDocument } = found;
  const digests = [...indexes, manifest].map(({ digest }) => digest);
  const missed = pins.find((pin) => !digests.includes(pin));
  if (missed !== undefined) {
    throw new StowageError(
      `Cannot use image "${reference}" in "${source.location}": it has the digest ${digests.join(" and ")}, not the pinned ${missed}; bring the pinned image or pin this one`,
      { code: "failed_precondition", context: { reference, digest: missed } },
    );
  }
  await checkLayers(source, manifest, manifestDocument, configDocument, options.signal);
  const [index, ...nestedIndexes] = indexes;
  return {
    reference: wanted.canonical,
    platform: found.platform,
    manifest,
    ...(index === undefined ? {} : { index }),
    nestedIndexes,
    config: manifestDocument.config,
    layers: manifestDocument.layers,
    diffIds: configDocument.rootfs.diff_ids ?? [],
    imageConfig: toImageConfig(configDocument),
  };
}

function checkPin(pin: string, reference: string): void {
  if (isDigest(pin)) return;
  throw new StowageError(
    `Cannot pin image "${reference}" to ${JSON.stringify(pin)}: it is not a supported digest; write sha256:<64 hexadecimal digits>`,
    { code: "invalid_argument" },
  );
}
