import { StowageError } from "../../errors/index.ts";
import type { ResolvedImage } from "../../image/index.ts";
import { mapLimited } from "../../internal/index.ts";
import {
  type AppliedImage,
  type ObservedImage,
  type PodSpec,
  parseImageReference,
} from "../../model/index.ts";
import type { HostObservation, ImageResolution } from "../../plan/index.ts";
import { type FleetLock, platformKey } from "./fleet-lock.ts";
import type { ImageStore } from "./image-store.ts";
import { imagesOn, placeImage } from "./place-image.ts";

/** Where to look for what references lead to. */
export interface ResolveImagesRequest {
  readonly host: string;
  readonly pods: Readonly<Record<string, PodSpec>>;
  readonly observation: HostObservation;
  readonly store: ImageStore;
  readonly lock?: FleetLock | undefined;
  /** What references are to lead to whatever anything else says, by canonical reference. */
  readonly pins?: ReadonlyMap<string, AppliedImage> | undefined;
}

/** What a host's references lead to. */
export interface ResolvedReferences {
  /** By reference as written, and by its canonical form. */
  readonly images: ReadonlyMap<string, ImageResolution>;
  readonly warnings: readonly string[];
}

/**
 * What each image reference of a host leads to on its platform. The first of these that knows it
 * says so: what the caller pins, fleet.lock.json, a digest that is pinned, the layout or archive of the manifest, the
 * reference's registry, the engine's own image of that name, what was last applied. Nothing on disk
 * is opened and no registry is asked for a pinned image that the engine holds.
 */
export async function resolveImages(request: ResolveImagesRequest): Promise<ResolvedReferences> {
  const applied = appliedImages(request.observation);
  const wanted = new Map<string, Wanted>();
  const references = referencesIn(request.pods).map((reference) => {
    const { canonical, digest } = parseImageReference(reference);
    wanted.set(canonical, wanted.get(canonical) ?? { reference, canonical, digest });
    return { reference, canonical };
  });
  const found = await mapLimited([...wanted.values()], RESOLVED_AT_ONCE, async (each) => {
    const known: Known = { ...request, applied, warnings: [] };
    const resolution = placeImage(known, withRegistry(known, await resolveReference(known, each)));
    return { canonical: each.canonical, resolution, warnings: known.warnings };
  });
  const resolutions = new Map(found.map(({ canonical, resolution }) => [canonical, resolution]));
  const images = new Map<string, ImageResolution>();
  for (const { reference, canonical } of references) {
    const resolution = resolutions.get(canonical) as ImageResolution;
    images.set(reference, resolution).set(canonical, resolution);
  }
  return { images, warnings: found.flatMap(({ warnings }) => warnings) };
}

/** References that are looked for at once, most of them in registries. */
const RESOLVED_AT_ONCE = 8;

/** Tells what another machine may ask a registry for itself. */
function withRegistry({ store }: Known, resolution: ImageResolution): ImageResolution {
  if (resolution.kind === "unresolved") return resolution;
  return store.isElsewhere(resolution.image.reference)
    ? { ...resolution, ofRegistry: true }
    : resolution;
}

interface Known extends ResolveImagesRequest {
  readonly applied: readonly AppliedImage[];
  readonly warnings: string[];
}

interface Wanted {
  readonly reference: string;
  readonly canonical: string;
  readonly digest: string | undefined;
}

async function resolveReference(known: Known, wanted: Wanted): Promise<ImageResolution> {
  const { lock, pins, store, observation } = known;
  const { canonical } = wanted;
  const asked = pins?.get(canonical);
  if (asked !== undefined) return await resolveLocked(known, wanted, asked, RECORD);
  const locked = lock?.images[canonical]?.[platformKey(observation.info.platform)];
  if (locked !== undefined) return await resolveLocked(known, wanted, locked, LOCK);
  const pin = wanted.digest ?? store.pinOf(canonical);
  if (pin !== undefined) {
    const held = heldByDigest(observation, pin) ?? heldAsApplied(known, wanted);
    if (held !== undefined) return resolved(canonical, held, store.has(canonical));
  }
  if (store.has(canonical)) return await resolveFromSource(known, wanted);
  const held = heldUnpinned(known, wanted);
  if (held !== undefined) return resolved(canonical, held, false);
  return lastApplied(known, wanted) ?? unresolved(nowhere(wanted, pin));
}

/** Who names a digest, and what to do if it is not available. */
interface Namer {
  readonly name: string;
  readonly remedy: string;
}

const LOCK: Namer = {
  name: "fleet.lock.json",
  remedy: "write the lock again with stowage images lock",
};
const RECORD: Namer = {
  name: "the record",
  remedy: "bring it into the engine or its registry again, or go back to another record",
};

/** The lock wins; bytes on disk must then be the ones that it names. */
async function resolveLocked(
  { observation, store }: Known,
  { canonical }: Wanted,
  locked: { readonly digest: string; readonly configDigest?: string | undefined },
  { name, remedy }: Namer,
): Promise<ImageResolution> {
  const image = appliedImage(canonical, locked.digest, locked.configDigest);
  if (heldByDigest(observation, locked.digest) !== undefined) {
    return { kind: "resolved", image, available: store.has(canonical) };
  }
  if (!store.has(canonical)) return { kind: "resolved", image, available: false };
  try {
    return fromDisk(
      canonical,
      await store.resolve(canonical, observation.info.platform, locked.digest),
    );
  } catch (error) {
    if (!StowageError.is(error)) throw error;
    return unresolved(
      `${name} names ${locked.digest}, which is not available: ${error.message}; ${remedy}`,
    );
  }
}

async function resolveFromSource(known: Known, wanted: Wanted): Promise<ImageResolution> {
  const { store, observation, warnings, host } = known;
  const { canonical } = wanted;
  try {
    return fromDisk(canonical, await store.resolve(canonical, observation.info.platform));
  } catch (error) {
    if (!StowageError.is(error)) throw error;
    const applied = heldAsApplied(known, wanted);
    const held = applied ?? (store.isOnDisk(canonical) ? undefined : heldUnpinned(known, wanted));
    if (held === undefined || !isAbsence(error, store.isOnDisk(canonical)))
      return unresolved(error.message);
    const as = applied === undefined ? "as the engine has it" : "as last applied";
    warnings.push(`${host}: ${canonical} stays at ${held.digest}, ${as}: ${error.message}`);
    return resolved(canonical, held, false);
  }
}

/** Whether the source is away or silent, rather than another one than it must be. */
function isAbsence({ code }: StowageError, isOnDisk: boolean): boolean {
  if (code === "not_found") return true;
  return !isOnDisk && code !== "invalid_argument" && code !== "failed_precondition";
}

function heldUnpinned(known: Known, { canonical, digest }: Wanted): ObservedImage | undefined {
  const pin = digest ?? known.store.pinOf(canonical);
  return pin === undefined ? heldByName(known, canonical) : undefined;
}

function lastApplied(known: Known, wanted: Wanted): ImageResolution | undefined {
  const { canonical } = wanted;
  if (isRepinned(known, wanted)) return undefined;
  const applied = known.applied.find(({ reference }) => reference === canonical);
  if (applied === undefined) return undefined;
  known.warnings.push(
    `${known.host}: ${canonical} stays at ${applied.digest}, as last applied: nothing else knows it`,
  );
  return { kind: "resolved", image: applied, available: false };
}

function heldByDigest(observation: HostObservation, digest: string): ObservedImage | undefined {
  return imagesOn(observation).find((image) => image.digest === digest);
}

/** A pin of the manifest may be another one than when it was applied; one in the reference cannot. */
function isRepinned({ store }: Known, { canonical, digest }: Wanted): boolean {
  return digest === undefined && store.pinOf(canonical) !== undefined;
}

/** What was applied under this very reference, where the engine still holds it. */
function heldAsApplied(known: Known, wanted: Wanted): ObservedImage | undefined {
  const { applied, observation } = known;
  const { canonical } = wanted;
  if (isRepinned(known, wanted)) return undefined;
  for (const { reference, digest } of applied) {
    const held = reference === canonical ? heldByDigest(observation, digest) : undefined;
    if (held !== undefined) return held;
  }
  return undefined;
}

/** The engine's image of that name; of several that Stowage brought, the one last applied. */
function heldByName(known: Known, canonical: string): ObservedImage | undefined {
  const { observation } = known;
  const named = observation.engine.images.find(({ name }) => name === canonical);
  if (named !== undefined) return named;
  const brought = imagesOn(observation).filter(({ name }) => name.startsWith(`${canonical}@`));
  const applied = heldAsApplied(known, { reference: canonical, canonical, digest: undefined });
  const digests = new Set(brought.map(({ digest }) => digest));
  return applied ?? (digests.size === 1 ? brought[0] : undefined);
}

function fromDisk(canonical: string, found: ResolvedImage): ImageResolution {
  const { manifest, config, layers, imageConfig } = found;
  return {
    kind: "resolved",
    image: appliedImage(canonical, manifest.digest, config.digest),
    available: true,
    sizeBytes: [manifest, config, ...layers].reduce((sum, { size }) => sum + size, 0),
    ...(imageConfig.user === undefined ? {} : { user: imageConfig.user }),
  };
}

function resolved(canonical: string, held: ObservedImage, available: boolean): ImageResolution {
  return {
    kind: "resolved",
    image: appliedImage(canonical, held.digest, held.configDigest),
    available,
    ...(held.sizeBytes === undefined ? {} : { sizeBytes: held.sizeBytes }),
  };
}

function appliedImage(
  reference: string,
  digest: string,
  configDigest: string | undefined,
): AppliedImage {
  return { reference, digest, ...(configDigest === undefined ? {} : { configDigest }) };
}

function unresolved(reason: string): ImageResolution {
  return { kind: "unresolved", reason };
}

function nowhere({ canonical }: Wanted, pin: string | undefined): string {
  const what = pin === undefined ? "an image of that name" : `the pinned ${pin}`;
  return `the engine does not hold ${what}, and the manifest names no layout or archive of it; add images["${canonical}"] with a layout or an archive, or bring the image into the engine`;
}

function referencesIn(pods: Readonly<Record<string, PodSpec>>): readonly string[] {
  const references = Object.values(pods).flatMap(({ containers }) =>
    Object.values(containers).map(({ image }) => image),
  );
  return [...new Set(references)];
}

function appliedImages({ records }: HostObservation): readonly AppliedImage[] {
  return [...records.values()].flatMap((reading) => {
    if (reading.kind !== "record") return [];
    const { current, generations } = reading.record;
    const applied = generations.filter(({ generation }) => generation === current);
    return applied.flatMap(({ images }) => Object.values(images));
  });
}
