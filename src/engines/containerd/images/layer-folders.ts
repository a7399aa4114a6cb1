import { randomBytes } from "node:crypto";
import { StowageError } from "../../../errors/index.ts";
import { Snapshots } from "../../../gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import type { Mount } from "../../../gen/containerd/types/mount_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { removeSnapshot } from "./snapshots.ts";

/** Beginning of the name of each view of ours; one that a dead process left goes at the next collection. */
export const VIEW_PREFIX = "stw-view-";

/**
 * Folders on the engine's host that an unpacked image's layers lie in, topmost first.
 *
 * Makes a view for a moment, as nothing else tells the folders; they stay as long as the image does.
 *
 * @throws StowageError `not_found` when the image is not unpacked
 * @throws StowageError `unimplemented` when the snapshotter keeps layers otherwise than in folders
 */
export async function layerFolders(
  client: ContainerdClient,
  snapshotter: string,
  chainId: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const key = `${VIEW_PREFIX}${randomBytes(8).toString("hex")}`;
  try {
    const { mounts } = await client.unary(
      Snapshots.method.view,
      { snapshotter, key, parent: chainId },
      { doing: `look into layers "${chainId}"`, signal },
    );
    return foldersOfMounts(mounts, snapshotter);
  } finally {
    await removeSnapshot(client, snapshotter, key);
  }
}

/** Takes the folders out of the mount of a view: an overlay's lower ones, or the source of a bind. */
export function foldersOfMounts(
  mounts: readonly Pick<Mount, "type" | "source" | "options">[],
  snapshotter: string,
): readonly string[] {
  const [mount] = mounts;
  if (mounts.length === 1 && mount?.type === "bind") return [mount.source];
  const lower = mount?.options
    .find((option) => option.startsWith("lowerdir="))
    ?.slice("lowerdir=".length);
  if (mounts.length === 1 && mount?.type === "overlay" && lower !== undefined)
    return lower.split(":");
  throw new StowageError(
    `Cannot look into an image: snapshotter "${snapshotter}" does not keep layers in folders; use overlayfs, or numbers for users and groups`,
    { code: "unimplemented", context: { snapshotter } },
  );
}
