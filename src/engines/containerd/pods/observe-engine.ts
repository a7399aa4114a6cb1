import { readLabels } from "../../../engine/index.ts";
import type { HostSnapshot } from "../../../host/index.ts";
import { OBJECT_PREFIX, type ObservedEngine } from "../../../model/index.ts";
import { listImageRecords } from "../images/image-record.ts";
import { listImportLeftovers } from "../images/import-leftovers.ts";
import { listPullLeftovers } from "../images/pull-namespace.ts";
import { limitFiles } from "../spec/kernel-limits.ts";
import { notesIn, ownNotesIn, parseOwnSpec, parseStoredSpec } from "../spec/stored-spec.ts";
import { type ContainerRecord, isOwnSpec, listContainers } from "./container-records.ts";
import { type Found, listLeftovers, listSnapshotKeys } from "./leftovers.ts";
import { observeImages } from "./observe-images.ts";
import { observePods, type SeenContainer } from "./observe-pods.ts";
import { generationKey, type PodContext } from "./pod-context.ts";
import { bundleDirectory } from "./shim-remnants.ts";
import { listTasks } from "./tasks.ts";

/** Pods, images and leftovers: six lists of the daemon at once, then one look at the host. */
export async function observeEngine(
  context: PodContext,
  signal: AbortSignal | undefined,
): Promise<ObservedEngine> {
  const { client, snapshotter } = context;
  const [records, tasks, images, snapshots, imports, pulls] = await Promise.all([
    listContainers(client, [], signal),
    listTasks(client, signal),
    listImageRecords(client, signal),
    listSnapshotKeys(client, snapshotter, signal),
    listImportLeftovers(client, signal),
    listPullLeftovers(client, signal),
  ]);
  const keys = new Set(snapshots);
  const taskOf = new Map(tasks.map((task) => [task.id, task]));
  const seen = records.flatMap((record): SeenContainer[] => {
    const labels = readLabels(record.labels);
    if (labels === undefined) return [];
    const own = isOwnSpec(record);
    // where another snapshotter keeps it, it was not looked for
    const rooted = record.snapshotter !== snapshotter || keys.has(record.snapshotKey);
    return [{ record, labels, own, rooted, ...readSpec(record, own), task: taskOf.get(record.id) }];
  });
  for (const [key, names] of namesOf(seen)) context.names.set(key, names);
  const host = await lookAtHost(context, seen, signal);
  const found: Found = {
    containers: records,
    ours: new Set(seen.map(({ record }) => record.id)),
    tasks,
    snapshots,
    imports,
    pulls,
    bundles: host.bundles,
  };
  return {
    pods: observePods(seen, host.snapshot.files, new Set(host.bundles)),
    images: observeImages(images, new Set(records.map(({ image }) => image))),
    leftovers: listLeftovers(found),
  };
}

function readSpec(
  { specBytes }: ContainerRecord,
  own: boolean,
): Pick<SeenContainer, "spec" | "notes"> {
  const spec = own ? parseOwnSpec(specBytes) : parseStoredSpec(specBytes);
  if (spec === undefined) return { spec, notes: undefined };
  return { spec, notes: own ? ownNotesIn(spec) : notesIn(spec) };
}

/** Names of containers by their generation. */
function namesOf(seen: readonly SeenContainer[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { labels } of seen) {
    const key = generationKey(labels);
    const known = names.get(key);
    if (known === undefined) names.set(key, [labels.container]);
    else known.push(labels.container);
  }
  return names;
}

async function lookAtHost(
  context: PodContext,
  seen: readonly SeenContainer[],
  signal: AbortSignal | undefined,
): Promise<{ readonly snapshot: HostSnapshot; readonly bundles: readonly string[] }> {
  const ids = seen.flatMap(({ task }) => (task === undefined ? [] : [task.id]));
  const state = await context.facts.stateDirectory(ids);
  const bundleDir = bundleDirectory(state, context.client.namespace);
  const files = seen.flatMap(({ spec, task }) =>
    spec === undefined || task === undefined || task.state === "exited" ? [] : limitFiles(spec),
  );
  const options = signal === undefined ? {} : { signal };
  const list = bundleDir === undefined ? [] : [bundleDir];
  const snapshot = await context.host.snapshot({ files, list }, options);
  const names = bundleDir === undefined ? [] : (snapshot.entries.get(bundleDir) ?? []);
  return { snapshot, bundles: names.filter((name) => name.startsWith(OBJECT_PREFIX)) };
}
