import { randomBytes } from "node:crypto";
import type { BlobDescriptor } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Diff } from "../../../gen/containerd/services/diff/v1/diff_pb.ts";
import { Snapshots } from "../../../gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import type { Mount } from "../../../gen/containerd/types/mount_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { ensureContentLabels } from "./content-labels.ts";
import { LABEL_SNAPSHOT_REF, LABEL_UNCOMPRESSED } from "./gc-labels.ts";
import { layerMediaType } from "./layer-media-type.ts";
import { removeSnapshot, snapshotExists } from "./snapshots.ts";

/** A layer and where it belongs. */
export interface LayerUnpack {
  readonly layer: BlobDescriptor;
  readonly diffId: string;
  readonly chainId: string;
  /** Chain id of the layers below; absent for the lowest. */
  readonly parent: string | undefined;
}

/**
 * Unpacks one layer onto those below, and names the result by its chain id.
 *
 * There already: nothing happens. What fails leaves nothing behind; what dies is held by the client's
 * lease alone.
 *
 * @throws StowageError `invalid_argument` when the layer cannot be read, or is not what the config says.
 */
export async function unpackLayer(
  client: ContainerdClient,
  snapshotter: string,
  unpack: LayerUnpack,
  signal?: AbortSignal,
): Promise<void> {
  const { layer, diffId, chainId, parent = "" } = unpack;
  if (await snapshotExists(client, snapshotter, chainId, signal)) return;
  const key = `extract-${Date.now()}000000-${randomBytes(4).toString("hex")} ${chainId}`;
  const doing = `unpack layer "${layer.digest}"`;
  try {
    const { mounts } = await client.unary(
      Snapshots.method.prepare,
      { snapshotter, key, parent, labels: { [LABEL_SNAPSHOT_REF]: chainId } },
      { doing, signal },
    );
    await applyLayer(client, unpack, mounts, signal);
    await client.unary(
      Snapshots.method.commit,
      { snapshotter, name: chainId, key },
      { doing, signal },
    );
  } catch (error) {
    // a Prepare that was cancelled may have been done all the same
    await removeSnapshot(client, snapshotter, key);
    // another import was faster
    if (!StowageError.is(error, "already_exists")) throw error;
  }
  await ensureContentLabels(client, layer.digest, { [LABEL_UNCOMPRESSED]: diffId }, signal);
}

async function applyLayer(
  client: ContainerdClient,
  { layer, diffId }: LayerUnpack,
  mounts: Mount[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const diff = {
    mediaType: layerMediaType(layer.mediaType),
    digest: layer.digest,
    size: BigInt(layer.size),
  };
  const { applied } = await client.unary(
    Diff.method.apply,
    { diff, mounts },
    { doing: `unpack layer "${layer.digest}"`, signal },
  );
  if (applied?.digest === diffId) return;
  throw new StowageError(
    `Cannot unpack layer "${layer.digest}": its content has the digest ${applied?.digest}, the image's config says ${diffId}; build the image again`,
    { code: "invalid_argument", context: { layer: layer.digest } },
  );
}
