import { StowageError } from "../../../errors/index.ts";
import { Snapshots } from "../../../gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";

/** What snapshots are kept with where nothing else is said. */
export const DEFAULT_SNAPSHOTTER = "overlayfs";

/** Whether a snapshot is there. */
export async function snapshotExists(
  client: ContainerdClient,
  snapshotter: string,
  key: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    await client.unary(
      Snapshots.method.stat,
      { snapshotter, key },
      { doing: `look for snapshot "${key}"`, signal },
    );
    return true;
  } catch (error) {
    if (StowageError.is(error, "not_found")) return false;
    throw error;
  }
}

/** Removes a snapshot; absent: nothing happens. containerd removes one in use as well. */
export async function removeSnapshot(
  client: ContainerdClient,
  snapshotter: string,
  key: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.unary(
      Snapshots.method.remove,
      { snapshotter, key },
      { doing: `remove snapshot "${key}"`, signal },
    );
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
}
