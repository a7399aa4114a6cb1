import { readLabels } from "../../../engine/index.ts";
import { Snapshots } from "../../../gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import { OBJECT_PREFIX, type ObservedLeftover } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { dropLease, IMPORT_LEASE_PREFIX } from "../images/import-lease.ts";
import { VIEW_PREFIX } from "../images/layer-folders.ts";
import { PULL_PREFIX, type PullLeftover } from "../images/pull-namespace.ts";
import { removeSnapshot } from "../images/snapshots.ts";
import { type ContainerRecord, deleteContainer, getContainer } from "./container-records.ts";
import { logDirectory, type PodContext } from "./pod-context.ts";
import { endContainers } from "./remove-pod.ts";
import type { Task } from "./tasks.ts";

/** Everything with a name of Stowage's that was found. */
export interface Found {
  readonly containers: readonly ContainerRecord[];
  /** Ids of containers that belong to a pod. */
  readonly ours: ReadonlySet<string>;
  readonly tasks: readonly Task[];
  readonly snapshots: readonly string[];
  readonly imports: readonly string[];
  readonly pulls: readonly PullLeftover[];
  readonly bundles: readonly string[];
}

/** Keys of all snapshots of Stowage's: containers' own, and those of a look into an image. */
export async function listSnapshotKeys(
  client: ContainerdClient,
  snapshotter: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const found: string[] = [];
  const request = { snapshotter, filters: [`name~="^${OBJECT_PREFIX}"`] };
  for await (const { info } of client.serverStream(Snapshots.method.list, request, {
    doing: "list snapshots",
    signal,
  })) {
    found.push(...info.map(({ name }) => name));
  }
  return found;
}

/** What has a name of Stowage's and belongs to no pod; one entry a name. */
export function listLeftovers(found: Found): readonly ObservedLeftover[] {
  const named = (what: string, names: readonly string[]): readonly [string, string][] =>
    names
      .filter((name) => name.startsWith(OBJECT_PREFIX) && !found.ours.has(name))
      .map((name) => [name, what]);
  const all = new Map<string, string>([
    ...named("bundle", found.bundles),
    // the daemon collects a container's as soon as its record is deleted
    ...named(
      "snapshot",
      found.snapshots.filter((key) => key.startsWith(VIEW_PREFIX)),
    ),
    ...named(
      "task",
      found.tasks.map(({ id }) => id),
    ),
    ...named(
      "container",
      found.containers.map(({ id }) => id),
    ),
    ...named("lease", found.imports),
  ]);
  return [
    ...[...all].map(([name, what]) => ({ name, what, ...imageOf(name) })),
    ...found.pulls.map(({ name, image }) => ({
      name,
      what: "namespace of a pull",
      ...(image === undefined ? {} : { image }),
    })),
  ];
}

/** The image whose import continues with a lease. */
function imageOf(name: string): Pick<ObservedLeftover, "image"> {
  if (!name.startsWith(IMPORT_LEASE_PREFIX)) return {};
  return { image: `sha256:${name.slice(IMPORT_LEASE_PREFIX.length)}` };
}

/** Removes everything of one name that belongs to no pod; what belongs to one stays. */
export async function removeLeftover(
  context: PodContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, snapshotter, host, directories } = context;
  signal?.throwIfAborted();
  if (!name.startsWith(OBJECT_PREFIX)) return;
  if (name.startsWith(IMPORT_LEASE_PREFIX)) {
    await dropLease(client, name, signal);
    return;
  }
  if (name.startsWith(PULL_PREFIX)) {
    const { removePull } = await import("../images/host-pull.ts");
    await removePull(context, name);
    return;
  }
  const record = await getContainer(client, name, signal);
  if (record !== undefined && readLabels(record.labels) !== undefined) return;
  await endContainers(context, [name], new Set([name]));
  await host.removeDirectory(logDirectory(directories, name));
  await removeSnapshot(client, record?.snapshotter ?? snapshotter, name);
  if (record !== undefined) await deleteContainer(client, name);
}
