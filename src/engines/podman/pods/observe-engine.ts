import { limitFiles, type ObserveOptions, readLabels } from "../../../engine/index.ts";
import type { HostSnapshot } from "../../../host/index.ts";
import {
  type ObservedEngine,
  type ObservedPod,
  objectName,
  type PodIdentity,
} from "../../../model/index.ts";
import type { InspectedContainer, ListedContainer } from "../cli/answers.ts";
import { callOptions, type PodmanContext } from "../context.ts";
import { imageFilePattern, readOwnImages } from "../images/image-files.ts";
import { listImages } from "../images/image-list.ts";
import { imageLeftovers, observeImages } from "../images/observe-images.ts";
import { glanceAtStore, mayBeOurs, type StoredContainer } from "../store/store-used.ts";
import { seeFresh } from "./fresh-pods.ts";
import { listLeftovers } from "./leftovers.ts";
import { cgroupOf, lifeFiles, lifeOf } from "./life.ts";
import { inspectContainers, isHalfRemoved, listContainers, listPods, ownName } from "./lists.ts";
import { parseNotes } from "./notes.ts";
import { observePod, type SeenContainer } from "./observe-pods.ts";
import { parseChanges } from "./pod-changes.ts";
import { parseRestartCounts } from "./restart-counts.ts";

/**
 * Pods, images and leftovers: lists and details at once, one look at the host before and one after.
 * Containers and images are listed by the store's own files, where podman need not be asked; pods of podman's only
 * where one may be without containers, since containers name theirs.
 */
export async function observeEngine(
  context: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<ObservedEngine> {
  const glance = await glanceAtStore(context, signal, { images: true });
  const { isUsed, stored, unfinished } = glance;
  if (!isUsed) return { pods: [], images: [], leftovers: [] };
  const guess = (stored ?? []).filter(mayBeOurs).map(({ id }) => id);
  const isPlain = stored !== undefined && unfinished.length === 0;
  const [asked, pods, images, guessed] = await Promise.all([
    isPlain ? undefined : listContainers(context, signal),
    unfinished.length > 0 ? listPods(context, signal) : [],
    glance.images ?? listImages(context, signal),
    lookAhead(context, guess, signal),
  ]);
  signal?.throwIfAborted();
  const listed =
    asked ??
    listStored(stored ?? [], guess, guessed.inspected) ??
    (await listContainers(context, signal));
  // what was made while podman listed is in the store by now
  const after = isPlain ? stored : (await glanceAtStore(context, signal)).stored;
  const ours = listed.filter((each) => ownName(each) !== undefined && !isHalfRemoved(each, after));
  const podIds = new Set(ours.flatMap(({ Pod }) => (Pod === "" ? [] : [Pod])));
  const infras = listed.filter(({ IsInfra, Pod }) => IsInfra && podIds.has(Pod));
  const ids = [...ours, ...infras].map(({ Id }) => Id);
  const known = new Map(guessed.inspected.map((each) => [each.Id, each]));
  const others = ids.filter((id) => !known.has(id));
  const more = await inspectContainers(context, others, signal);
  const inspected = [...ids.flatMap((id) => known.get(id) ?? []), ...more];
  // read again where the list says otherwise than the guess
  const snapshot =
    more.length === 0 && guessed.snapshot !== undefined
      ? guessed.snapshot
      : await lookAtHost(context, inspected, signal);
  const { images: own, folders } = readOwnImages(snapshot.files, context.files.imagesDir);
  const found = {
    listed: images,
    own,
    folders,
    scope: context.files.scope,
    used: new Set(listed.map(({ ImageID }) => ImageID)),
  };
  const observed = observePods(context, inspected, infras, snapshot.files);
  return {
    pods: observed,
    images: observeImages(found),
    leftovers: [
      ...listLeftovers({
        containers: listed,
        pods,
        ours: new Set(ours.map(({ Id }) => Id)),
        usedPods: podIds,
        imports: snapshot.entries.get(context.files.importsDir) ?? [],
        changes: snapshot.entries.get(context.files.podsDir) ?? [],
        unfinished,
        podNames: new Set(observed.map((pod) => objectName(pod))),
      }),
      ...imageLeftovers(found),
    ],
  };
}

/**
 * Generations of one container each, without a list of all containers; undefined where one of them is
 * not there by its name, as none of several containers is.
 */
export async function observeSome(
  context: PodmanContext,
  pods: readonly PodIdentity[],
  { signal, statesOnly = false }: ObserveOptions,
): Promise<ObservedEngine | undefined> {
  const names = new Set(pods.map((pod) => objectName(pod)));
  const fresh = statesOnly
    ? await seeFresh(
        context.host,
        [...names].flatMap((name) => context.fresh.get(name) ?? []),
        signal,
      )
    : [];
  for (const pod of fresh) names.delete(objectName(pod));
  // what is older, or another process now, is asked for from here on
  if (statesOnly) for (const name of names) context.fresh.delete(name);
  if (names.size === 0) return { pods: fresh, images: [], leftovers: [] };
  const inspected = await inspectContainers(context, [...names], signal);
  if (inspected.length < names.size) return undefined;
  const { files } = await lookAtHost(context, inspected, signal);
  const seen = observePods(context, inspected, [], files);
  return { pods: [...fresh, ...seen], images: [], leftovers: [] };
}

/**
 * The store's list of containers as podman's own, which takes as long as all details.
 *
 * @returns undefined where podman told nothing of one: then it has to be asked
 */
function listStored(
  stored: readonly StoredContainer[],
  ours: readonly string[],
  inspected: readonly InspectedContainer[],
): readonly ListedContainer[] | undefined {
  const details = new Map(inspected.map((each) => [each.Id, each]));
  if (!ours.every((id) => details.has(id))) return undefined;
  return stored.map(({ id, names, image }) => {
    const found = details.get(id);
    return {
      Id: id,
      Names: [...names],
      State: found?.State.Status ?? "",
      Labels: found?.Config.Labels ?? {},
      ImageID: image,
      IsInfra: found?.IsInfra ?? false,
      Pod: found?.Pod ?? "",
      PodName: "",
    };
  });
}

interface LookAhead {
  readonly inspected: readonly InspectedContainer[];
  readonly snapshot?: HostSnapshot;
}

/** Containers that are guessed to be there, while podman is at work on its lists. */
async function lookAhead(
  context: PodmanContext,
  guess: readonly string[],
  signal: AbortSignal | undefined,
): Promise<LookAhead> {
  try {
    const inspected = await inspectContainers(context, guess, signal);
    return { inspected, snapshot: await lookAtHost(context, inspected, signal) };
  } catch {
    return { inspected: [] };
  }
}

/** A file of the same observation says what has a limit, so all of them are read. */
const ANY_LIMITS = {
  cpuMillis: 0,
  cpuShares: 0,
  cpuset: 0,
  memoryBytes: 0,
  memoryReservationBytes: 0,
  memorySwapBytes: 0,
  pidsMax: 0,
};

/** Files of processes, of their limits and of ours, in one look. */
async function lookAtHost(
  { host, files }: PodmanContext,
  inspected: readonly InspectedContainer[],
  signal: AbortSignal | undefined,
): Promise<HostSnapshot> {
  const living = inspected.filter(({ State }) => State.Pid > 0);
  const limits = living.flatMap((each) => limitFiles(cgroupOf(each), ANY_LIMITS));
  return await host.snapshot(
    {
      files: [
        ...lifeFiles(inspected),
        ...limits,
        imageFilePattern({ files }),
        `${files.podsDir}/*.json`,
      ],
      list: [files.importsDir, files.podsDir],
    },
    callOptions(signal),
  );
}

function observePods(
  { files: own }: PodmanContext,
  inspected: readonly InspectedContainer[],
  infras: readonly ListedContainer[],
  files: HostSnapshot["files"],
): readonly ObservedPod[] {
  const infraIds = new Set(infras.map(({ Id }) => Id));
  const infraOf = new Map(
    inspected.flatMap((found) =>
      infraIds.has(found.Id) ? [[found.Pod, { found, life: lifeOf(found, files) }] as const] : [],
    ),
  );
  const pods = new Map<string, SeenContainer[]>();
  for (const found of inspected) {
    const labels = infraIds.has(found.Id) ? undefined : readLabels(found.Config.Labels);
    if (labels === undefined) continue;
    const notes = parseNotes(found.Config.Labels);
    const key = objectName(labels);
    pods.set(key, [...(pods.get(key) ?? []), { labels, found, life: lifeOf(found, files), notes }]);
  }
  return [...pods.values()].map((seen) => {
    // a pod is put together of at least one container
    const first = seen[0] as SeenContainer;
    const ids = Object.fromEntries(seen.map(({ labels, found }) => [labels.container, found.Id]));
    const changes = parseChanges(files.get(own.podFile(first.labels)), ids);
    const restarts = parseRestartCounts(files.get(own.restartsFile(first.labels)));
    return observePod(seen, infraOf.get(first.found.Pod), { changes, restarts }, files);
  });
}
