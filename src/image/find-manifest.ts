import { isAttestation } from "./attestation.ts";
import type { ImageSource } from "./blob-source.ts";
import type { ImageDescriptor } from "./descriptor.ts";
import { blobPath } from "./digest.ts";
import {
  ConfigDocument,
  Descriptor,
  IndexDocument,
  type IndexEntry,
  ManifestDocument,
} from "./documents.ts";
import { CONFIG_TYPES, INDEX_TYPES, MANIFEST_TYPES } from "./media-types.ts";
import { bestPlatform, type Platform, toPlatform } from "./platform.ts";
import { documentError, readDocument } from "./read-document.ts";

const DEPTH_MAX = 4;
const CANDIDATES_MAX = 256;

/** A manifest with the way to it. */
export interface FoundManifest {
  readonly manifest: ImageDescriptor;
  /** From the outermost to the one that lists the manifest. */
  readonly indexes: readonly ImageDescriptor[];
  readonly platform: Platform;
  readonly manifestDocument: ManifestDocument;
  readonly configDocument: ConfigDocument;
}

/** What there is instead, when nothing runs on the platform. */
export interface NoManifest {
  readonly platforms: readonly Platform[];
}

interface Candidate {
  readonly manifest: ImageDescriptor;
  readonly indexes: readonly ImageDescriptor[];
  readonly platform: Platform;
}

/**
 * Finds the manifest that runs best on a platform, through nested indexes.
 *
 * The platform is what the index says, and what the config says where the index is silent.
 * Attestations are passed over. Where a digest of `pins` is a manifest's, only that one counts.
 *
 * @throws StowageError `invalid_argument` naming the file and field that does not fit.
 * @throws StowageError `not_found` when a blob is missing.
 */
export async function findManifest(
  source: ImageSource,
  entries: readonly IndexEntry[],
  wanted: Platform,
  pins: readonly string[],
  signal: AbortSignal | undefined,
): Promise<FoundManifest | NoManifest> {
  const candidates: Candidate[] = [];
  await collect(source, { file: "index.json", entries, indexes: [] }, candidates, signal);
  const pinned = candidates.filter(({ manifest }) => pins.includes(manifest.digest));
  const eligible = pinned.length > 0 ? pinned : candidates;
  const best = bestPlatform(eligible, wanted);
  if (best === undefined) return { platforms: eligible.map(({ platform }) => platform) };
  return { ...best, ...(await readImage(source, best.manifest)) };
}

/** A list of manifests: its entries, the file that it is in, and the indexes that lead to it. */
interface Listing {
  readonly file: string;
  readonly entries: readonly IndexEntry[];
  readonly indexes: readonly ImageDescriptor[];
}

async function collect(
  source: ImageSource,
  { file, entries, indexes }: Listing,
  candidates: Candidate[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const place = { location: source.location, file };
  for (const entry of entries.filter((listed) => !isAttestation(listed))) {
    signal?.throwIfAborted();
    const descriptor = Descriptor.parse(entry);
    if (INDEX_TYPES.has(entry.mediaType)) {
      if (indexes.length === DEPTH_MAX) {
        throw documentError(
          place,
          `indexes are nested more than ${DEPTH_MAX} deep; build the image again`,
        );
      }
      await collect(source, await readIndex(source, descriptor, indexes), candidates, signal);
    } else if (MANIFEST_TYPES.has(entry.mediaType)) {
      const platform =
        entryPlatform(entry) ?? toPlatform((await readImage(source, descriptor)).configDocument);
      candidates.push({ manifest: descriptor, indexes, platform });
    } else if (entries.length === 1) {
      throw documentError(
        place,
        `manifests[0].mediaType: "${entry.mediaType}" is not an image manifest; convert the image with skopeo copy --format oci`,
      );
    }
    if (candidates.length > CANDIDATES_MAX) {
      throw documentError(
        place,
        `it lists more than ${CANDIDATES_MAX} manifests; build the image again`,
      );
    }
  }
}

async function readIndex(
  source: ImageSource,
  descriptor: ImageDescriptor,
  indexes: readonly ImageDescriptor[],
): Promise<Listing> {
  const document = await readDocument(source, descriptor, IndexDocument);
  checkMediaType(source, descriptor, document.mediaType);
  return {
    file: blobPath(descriptor.digest),
    entries: document.manifests ?? [],
    indexes: [...indexes, descriptor],
  };
}

async function readImage(source: ImageSource, manifest: ImageDescriptor) {
  const manifestDocument = await readDocument(source, manifest, ManifestDocument);
  checkMediaType(source, manifest, manifestDocument.mediaType);
  const { config } = manifestDocument;
  if (!CONFIG_TYPES.has(config.mediaType)) {
    throw documentError(
      { location: source.location, file: blobPath(manifest.digest) },
      `config.mediaType: "${config.mediaType}" is not a container image; name a container image`,
    );
  }
  return { manifestDocument, configDocument: await readDocument(source, config, ConfigDocument) };
}

/** OCI documents may leave their type out; one that contradicts its descriptor is refused. */
function checkMediaType(
  source: ImageSource,
  descriptor: ImageDescriptor,
  mediaType: string | undefined,
): void {
  if (mediaType === undefined || mediaType === descriptor.mediaType) return;
  throw documentError(
    { location: source.location, file: blobPath(descriptor.digest) },
    `mediaType: is "${mediaType}", but its descriptor says "${descriptor.mediaType}"; build the image again`,
  );
}

function entryPlatform({ platform }: IndexEntry): Platform | undefined {
  return platform?.os && platform.architecture ? toPlatform(platform) : undefined;
}
