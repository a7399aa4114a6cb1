import { settleAll } from "../../../internal/index.ts";
import { LABEL_RECORD, type PodIdentity } from "../../../model/index.ts";
import { removeSnapshot } from "../images/snapshots.ts";
import { type ContainerRecord, deleteContainer } from "./container-records.ts";
import { findGeneration } from "./find-generation.ts";
import { unpinNetworkNamespace } from "./network-namespace.ts";
import { logDirectory, networkNamespacePath, type PodContext } from "./pod-context.ts";
import { removeShimRemnants } from "./shim-remnants.ts";
import { endTask, getTask } from "./tasks.ts";

/**
 * Removes everything of a generation. The containers' records go last: until then whatever is left
 * can be found by them.
 */
export async function removePod(
  context: PodContext,
  identity: PodIdentity,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, directories, host } = context;
  const found = await findGeneration(context, identity, signal);
  context.fresh.forget(identity);
  if (found.size === 0) return;
  const containers = [...found.values()];
  const ids = containers.map(({ id }) => id);
  await endContainers(context, ids, cutShort(containers));
  await unpinNetworkNamespace(host, networkNamespacePath(directories, identity));
  await settleAll(
    containers.map(async ({ id, snapshotter, snapshotKey }) => {
      await host.removeDirectory(logDirectory(directories, id));
      await removeSnapshot(client, snapshotter, snapshotKey);
    }),
  );
  await settleAll(ids.map((id) => deleteContainer(client, id)));
}

/**
 * Ends the tasks of containers and removes what a create that was interrupted left of them.
 *
 * @param suspects those whose create is known to have been interrupted
 */
export async function endContainers(
  context: PodContext,
  ids: readonly string[],
  suspects: ReadonlySet<string> = new Set(),
): Promise<void> {
  const withoutTask = new Set<string>();
  await settleAll(
    ids.map(async (id) => {
      const task = await getTask(context.client, id);
      if (task !== undefined) await endTask(context.client, task);
      else if (suspects.has(id)) withoutTask.add(id);
    }),
  );
  await removeShimRemnants(context, ids, withoutTask);
}

/** Containers of a pod that was never whole. */
function cutShort(containers: readonly ContainerRecord[]): ReadonlySet<string> {
  const unfinished = containers.filter(({ labels }) => labels[LABEL_RECORD] === undefined);
  return new Set(unfinished.map(({ id }) => id));
}
