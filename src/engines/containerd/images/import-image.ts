import type { BlobDescriptor, ImageContent } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Leases } from "../../../gen/containerd/services/leases/v1/leases_pb.ts";
import { anySignal, createLimiter } from "../../../internal/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { chainIds } from "./chain-id.ts";
import { ensureContentLabels } from "./content-labels.ts";
import { configLabels, indexLabels, type Labels, manifestLabels } from "./gc-labels.ts";
import { targetLabel, writeImageRecord } from "./image-record.ts";
import { dropLease, hasLease, takeImportLease } from "./import-lease.ts";
import { layerMediaType } from "./layer-media-type.ts";
import { manifestPosition } from "./manifest-position.ts";
import { DEFAULT_SNAPSHOTTER, snapshotExists } from "./snapshots.ts";
import { unpackLayer } from "./unpack-layer.ts";
import { uploadBlob } from "./upload-blob.ts";

/** Uploads at once: with more an import takes twice the processor time, and no less time. */
const UPLOADS_AT_ONCE = 3;
/** How often an import starts over because another one of the same image ended under it. */
const ATTEMPTS = 4;

/** How an image is imported. */
export interface ImportOptions {
  /** Name of the image's record. */
  readonly name: string;
  /** Added to the record. */
  readonly labels: Labels;
  /** Added to the record only when this import makes it. */
  readonly labelsIfMade?: Labels;
  /** @defaultValue overlayfs */
  readonly snapshotter?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings an image into containerd: blobs, unpacked layers, and last of all the record.
 *
 * Idempotent, and safe to kill: all that is not referenced yet hangs on one lease a manifest digest, which
 * the next import of the image takes over and drops at its end with what a dead one left. A blob that is
 * there is not read. When the image itself is bad nothing is left; after an abort or a lost connection
 * the lease keeps what was uploaded for a week, for the next import.
 *
 * @throws StowageError `invalid_argument` when the bytes are not what their digests say, or cannot be unpacked
 * @throws StowageError `unimplemented` when a layer has a format that containerd cannot unpack
 * @throws `signal.reason`, unwrapped, when the signal is aborted
 */
export async function importImage(
  client: ContainerdClient,
  content: ImageContent,
  options: ImportOptions,
): Promise<void> {
  const { signal } = options;
  checkContent(content, options.name);
  for (let attempt = 1; ; attempt += 1) {
    const leaseId = await takeImportLease(client, content.manifest.digest, signal);
    try {
      await importUnderLease(client.withLease(leaseId), leaseId, content, options);
      // dropped without the signal: all is done but this
      await dropLease(client, leaseId);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      if (error.retryable || error.code === "deadline_exceeded") throw error;
      // an import of the same image that ended took our lease along, and left us its result
      if (attempt < ATTEMPTS && !(await hasLease(client, leaseId, signal))) continue;
      await dropLease(client, leaseId);
      throw error;
    }
  }
}

async function importUnderLease(
  client: ContainerdClient,
  leaseId: string,
  content: ImageContent,
  options: ImportOptions,
): Promise<void> {
  const { snapshotter = DEFAULT_SNAPSHOTTER, name, labels, labelsIfMade = {} } = options;
  const { manifest, config, layers, diffIds } = content;
  const chain = chainIds(diffIds);
  const top = chain.at(-1);
  // one failure stops the others at their next step
  const failure = new AbortController();
  const signal =
    options.signal === undefined ? failure.signal : anySignal([options.signal, failure.signal]);

  const store = async (kind: string, blob: BlobDescriptor, blobLabels: Labels): Promise<void> => {
    const upload = { blob, ref: `${kind}-${blob.digest}`, labels: blobLabels };
    const result = await uploadBlob(client, content, upload, signal);
    if (result === "present") await ensureContentLabels(client, blob.digest, blobLabels, signal);
  };
  const listing = await findListing(content);
  // a manifest may name one layer several times
  const distinct = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const limited = createLimiter(UPLOADS_AT_ONCE);
  // one that fails does not stop the others
  const uploads = [
    ...distinct.map((layer) => () => store("layer", layer, {})),
    () => store("manifest", manifest, manifestLabels(config.digest, layers)),
    () => store("config", config, configLabels(snapshotter, top)),
    ...(listing === undefined ? [] : [() => store("index", listing.index, listing.labels)]),
  ].map((upload) => limited(upload));
  const unpack = async (): Promise<void> => {
    await leaseSnapshots(client, leaseId, snapshotter, chain, signal);
    if (top !== undefined && (await snapshotExists(client, snapshotter, top, signal))) return;
    for (const [at, layer] of layers.entries()) {
      await uploads[distinct.findIndex(({ digest }) => digest === layer.digest)];
      const [diffId = "", chainId = ""] = [diffIds[at], chain[at]];
      await unpackLayer(
        client,
        snapshotter,
        { layer, diffId, chainId, parent: chain[at - 1] },
        signal,
      );
    }
  };
  await allOrFirstFailure([...uploads, unpack()], failure);
  const target = listing?.index ?? manifest;
  const told = { ...labels, ...targetLabel(manifest.digest, target.digest) };
  await writeImageRecord(client, { name, target, labels: told, labelsIfMade }, signal);
}

/** The index to record beside the manifest; without one that lists it the manifest stands alone. */
async function findListing(
  content: ImageContent,
): Promise<{ readonly index: BlobDescriptor; readonly labels: Labels } | undefined> {
  const { index, manifest } = content;
  const position = index === undefined ? undefined : await manifestPosition(content, index);
  if (index === undefined || position === undefined) return undefined;
  return { index, labels: indexLabels(position, manifest.digest) };
}

/** Holds layers that are unpacked already; naming one that is not there yet does no harm. */
async function leaseSnapshots(
  client: ContainerdClient,
  id: string,
  snapshotter: string,
  chain: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const options = { doing: `hold layers under lease "${id}"`, signal };
  const type = `snapshots/${snapshotter}`;
  await Promise.all(
    chain.map((chainId) =>
      client.unary(Leases.method.addResource, { id, resource: { id: chainId, type } }, options),
    ),
  );
}

/** Waits for all, so that nothing runs unseen, and then throws what failed first. */
async function allOrFirstFailure(
  tasks: readonly Promise<void>[],
  failure: AbortController,
): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    tasks.map((task) =>
      task.catch((error: unknown) => {
        failures.push(error);
        failure.abort(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}

function checkContent({ layers, diffIds }: ImageContent, name: string): void {
  for (const { mediaType } of layers) layerMediaType(mediaType);
  if (layers.length === diffIds.length) return;
  throw new StowageError(
    `Cannot import image "${name}": its manifest has ${layers.length} layers, its config ${diffIds.length}; build the image again`,
    { code: "invalid_argument", context: { image: name } },
  );
}
