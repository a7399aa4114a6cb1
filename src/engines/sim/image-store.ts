import type {
  BlobDescriptor,
  CallOptions,
  ImageContent,
  ImageDefaults,
  ImageOwnership,
} from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { verifyStream } from "../../image/index.ts";
import { type AppliedImage, imageName } from "../../model/index.ts";
import type { MachineState, SimImage } from "./machine-state.ts";
import type { Part } from "./sim-calls.ts";

/** Blobs up to this size are kept, so that the image can be handed over; of others only that they were there. */
const KEPT_BYTES_MAX = 64 * 1024;

/** Takes an image in: its bytes are read and verified, then its record is made. */
export async function importImage(
  part: Part,
  content: ImageContent,
  ownership: ImageOwnership,
  options: CallOptions,
): Promise<void> {
  const name = imageName(content.reference, content.manifest.digest);
  const leftover = `stw-import-${content.manifest.digest.slice(7, 33)}`;
  const blobs = blobsOf(content);
  const missing = await part((state) => {
    const held = new Set(Object.values(state.images).flatMap((image) => image.blobs));
    state.leftovers[leftover] = `unfinished import of ${content.reference}`;
    return blobs.filter(({ digest }) => !held.has(digest));
  });
  const read = new Map<string, string>();
  try {
    for (const { digest, size } of missing) {
      const kept: Uint8Array[] = [];
      for await (const bytes of verifyStream(content.open(digest), digest, size)) {
        options.signal?.throwIfAborted();
        if (size <= KEPT_BYTES_MAX) kept.push(bytes);
      }
      if (size <= KEPT_BYTES_MAX) read.set(digest, Buffer.concat(kept).toString("base64"));
    }
  } catch (error) {
    await part((state) => {
      delete state.leftovers[leftover];
    });
    if (options.signal?.aborted === true) throw options.signal.reason;
    throw StowageError.from(error, `Cannot import image "${content.reference}"`);
  }
  await part((state) => {
    delete state.leftovers[leftover];
    if (read.size > 0) state.bytes = { ...state.bytes, ...Object.fromEntries(read) };
    state.images[name] = withFleet(state.images[name] ?? newImage(content, blobs), ownership);
  });
}

/** Puts a fleet's ownership on an image that is there. */
export function claimImage(
  state: MachineState,
  image: AppliedImage,
  ownership: ImageOwnership,
): void {
  const held = heldImage(state, image, "claim");
  state.images[imageName(image.reference, image.digest)] = withFleet(held, ownership);
}

/** How an image has its processes run. */
export function defaultsOf(state: MachineState, image: AppliedImage): ImageDefaults {
  return heldImage(state, image, "read").defaults;
}

function heldImage(state: MachineState, { reference, digest }: AppliedImage, verb: string) {
  const held = state.images[imageName(reference, digest)];
  if (held !== undefined && held.digest === digest) return held;
  throw new StowageError(
    `Cannot ${verb} image "${reference}": the engine does not hold ${digest}; import it`,
    { code: "not_found", context: { reference, digest } },
  );
}

/** Takes a fleet's ownership off an image; it goes when that was the last and nothing uses it. */
export function releaseImage(state: MachineState, name: string, ownership: ImageOwnership): void {
  const held = state.images[name];
  if (held === undefined) return;
  const fleets = held.fleets.filter((fleet) => fleet !== fleetKey(ownership));
  if (fleets.length === 0 && held.ours && !isInUse(state, name)) {
    delete state.images[name];
    dropBytes(state);
  } else state.images[name] = { ...held, fleets };
}

/** Names of the images that containers use. */
export function imagesInUse(state: MachineState): ReadonlySet<string> {
  const pods = Object.values(state.pods);
  const containers = pods.flatMap((pod) => Object.values(pod.containers));
  return new Set(containers.map(({ image }) => imageName(image.reference, image.digest)));
}

function dropBytes(state: MachineState): void {
  const used = new Set(Object.values(state.images).flatMap(({ blobs }) => blobs));
  for (const digest of Object.keys(state.bytes ?? {})) {
    if (!used.has(digest)) delete state.bytes?.[digest];
  }
}

function isInUse(state: MachineState, name: string): boolean {
  return imagesInUse(state).has(name);
}

function newImage(content: ImageContent, blobs: readonly BlobDescriptor[]): SimImage {
  return {
    digest: content.manifest.digest,
    configDigest: content.config.digest,
    blobs: blobs.map(({ digest }) => digest),
    sizeBytes: blobs.reduce((sum, { size }) => sum + size, 0),
    defaults: content.defaults,
    ours: true,
    fleets: [],
    parts: {
      manifest: content.manifest,
      config: content.config,
      layers: content.layers,
      diffIds: content.diffIds,
    },
  };
}

function blobsOf(content: ImageContent): readonly BlobDescriptor[] {
  const { index, manifest, config, layers } = content;
  const all = [...(index === undefined ? [] : [index]), manifest, config, ...layers];
  return [...new Map(all.map((blob) => [blob.digest, blob])).values()];
}

function withFleet(image: SimImage, ownership: ImageOwnership): SimImage {
  const fleets = new Set([...image.fleets, fleetKey(ownership)]);
  return { ...image, fleets: [...fleets].sort() };
}

function fleetKey({ owner, fleet }: ImageOwnership): string {
  return `${owner}/${fleet}`;
}
