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
  const listed = { file: "index.json", field: "manifests" };
  await collect(source, entries, [], listed, candidates, signal);
  const pinned = candidates.filter(({ manifest }) => pins.includes(manifest.digest));
  const eligible = pinned.length > 0 ? pinned : candidates;
  const best = bestPlatform(eligible, wanted);
  if (best === undefined) return { platforms: eligible.map(({ platform }) => platform) };
  return { ...best, ...(await readImage(source, best.manifest)) };
}

async function collect(
  source: ImageSource,
  entries: readonly IndexEntry[],
  indexes: readonly ImageDescriptor[],
  listed: { readonly file: string; readonly field: string },
  candidates: Candidate[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const place = { location: source.location, file: listed.file };
  for (const entry of entries) {
    signal?.throwIfAborted();
    if (isAttestation(entry)) continue;
    const descriptor = Descriptor.parse(entry);
    if (INDEX_TYPES.has(entry.mediaType)) {
      if (indexes.length === DEPTH_MAX) {
        throw documentError(place, `indexes are nested more than ${DEPTH_MAX} deep; make the image anew`);
      }
      const document = await readDocument(source, descriptor, IndexDocument);
      checkMediaType(source, descriptor, document.mediaType);
      const inner = { file: blobPath(entry.digest), field: "manifests" };
      const path = [...indexes, descriptor];
      await collect(source, document.manifests ?? [], path, inner, candidates, signal);
    } else if (MANIFEST_TYPES.has(entry.mediaType)) {
      if (candidates.length === CANDIDATES_MAX) {
        throw documentError(place, `it lists more than ${CANDIDATES_MAX} manifests; make the image anew`);
      }
      const platform =
        entryPlatform(entry) ?? toPlatform((await readImage(source, descriptor)).configDocument);
      candidates.push({ manifest: descriptor, indexes, platform });
    } else if (entries.length === 1) {
      throw documentError(
        place,
        `${listed.field}[0].mediaType: "${entry.mediaType}" is no image manifest; convert the image with skopeo copy --format oci`,
      );
    }
  }
}

async function readImage(source: ImageSource, manifest: ImageDescriptor) {
  const manifestDocument = await readDocument(source, manifest, ManifestDocument);
  checkMediaType(source, manifest, manifestDocument.mediaType);
  const { config } = manifestDocument;
  if (!CONFIG_TYPES.has(config.mediaType)) {
    throw documentError(
      { location: source.location, file: blobPath(manifest.digest) },
      `config.mediaType: "${config.mediaType}" is no container image; name a container image`,
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
    `mediaType: is "${mediaType}" where its descriptor says "${descriptor.mediaType}"; make the image anew`,
  );
}

function entryPlatform({ platform }: IndexEntry): Platform | undefined {
  return platform?.os && platform.architecture ? toPlatform(platform) : undefined;
}
