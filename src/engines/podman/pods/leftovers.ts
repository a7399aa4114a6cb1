import { nameOfTemporary } from "../../../host/index.ts";
import { OBJECT_PREFIX, type ObservedLeftover } from "../../../model/index.ts";
import type { ListedContainer, ListedPod } from "../cli/answers.ts";
import type { PodmanContext } from "../context.ts";
import { listImages } from "../images/image-list.ts";
import { untag } from "../images/image-ownership.ts";
import { keyOfTag } from "../images/image-tag.ts";
import { removeWork } from "../images/import-work.ts";
import {
  IMAGE_PREFIX,
  IMPORT_PREFIX,
  RESTARTS_SUFFIX,
  STAGE_PREFIX,
  stagedImage,
} from "../store/own-files.ts";
import { glanceAtStore, storeUsed } from "../store/store-used.ts";
import { isHalfRemoved, listContainers, listPods, ownName } from "./lists.ts";
import { endInfra, removeContainers, removeNoted, removePodmanPod } from "./remove-pod.ts";

/** Everything with a name of Stowage's that was found. */
export interface Found {
  readonly containers: readonly ListedContainer[];
  readonly pods: readonly ListedPod[];
  /** Ids of containers that belong to a pod of Stowage's. */
  readonly ours: ReadonlySet<string>;
  /** Ids of podman pods that such containers are in. */
  readonly usedPods: ReadonlySet<string>;
  /** Names of folders of imports. */
  readonly imports: readonly string[];
  /** Names of what was being made or removed. */
  readonly unfinished: readonly string[];
  /** Names of files of changes. */
  readonly changes: readonly string[];
  /** Object names of the generations that were found. */
  readonly podNames: ReadonlySet<string>;
}

/** What has a name of Stowage's and belongs to no pod; one entry a name. */
export function listLeftovers(found: Found): readonly ObservedLeftover[] {
  const all = new Map<string, string>();
  const add = (what: string, names: readonly string[]): void => {
    for (const name of names) if (name.startsWith(OBJECT_PREFIX)) all.set(name, what);
  };
  add("import", found.imports);
  add(
    "note of a pod that was being made or removed",
    found.unfinished.filter((name) => !found.podNames.has(name)),
  );
  add(
    "note of a pod",
    found.changes
      .map((file) => nameOfTemporary(file) ?? file)
      .filter((file) => file.endsWith(".json"))
      .map((file) =>
        file.slice(0, -(file.endsWith(RESTARTS_SUFFIX) ? RESTARTS_SUFFIX : ".json").length),
      )
      .filter((name) => !found.podNames.has(name)),
  );
  add(
    "pod",
    found.pods.filter(({ Id }) => !found.usedPods.has(Id)).map(({ Name }) => Name),
  );
  add(
    "container",
    found.containers
      .filter(({ Id, IsInfra }) => !IsInfra && !found.ours.has(Id))
      .flatMap(({ Names }) => Names),
  );
  return [...all].map(([name, what]) => {
    const image = stagedImage(name);
    return { name, what, ...(image === undefined ? {} : { image }) };
  });
}

/** Removes everything of one name that belongs to no pod; what belongs to one stays. */
export async function removeLeftover(
  context: PodmanContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, files } = context;
  signal?.throwIfAborted();
  if (!name.startsWith(OBJECT_PREFIX) || name.includes("/")) return;
  if (name.startsWith(IMPORT_PREFIX))
    return await removeWork(context, `${files.importsDir}/${name}`);
  if (name.startsWith(STAGE_PREFIX))
    return await host.removeDirectory(`${files.importsDir}/${name}`);
  if (name.startsWith(IMAGE_PREFIX)) {
    // its import may be taken up again just now
    return await context.imports.alone(() => removeImageLeftover(context, name, signal));
  }
  const used = await storeUsed(host, context.facts.graphRoot, signal);
  const isFree = !used || (await removeObjects(context, name, signal));
  if (isFree) {
    await host.removeFile(`${files.podsDir}/${name}.json`);
    await host.removeFile(`${files.podsDir}/${name}${RESTARTS_SUFFIX}`);
  }
  await host.removeFile(files.unfinishedFile(name));
}

async function removeImageLeftover(
  context: PodmanContext,
  key: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { files, host } = context;
  const used = await storeUsed(host, context.facts.graphRoot, signal);
  const images = used ? await listImages(context, signal) : [];
  const tag = images
    .flatMap(({ Names }) => Names)
    .find((each) => keyOfTag(files.scope, each) === key);
  const { files: found } = await host.snapshot({ files: [`${files.imagesDir}/${key}/image.json`] });
  // both are there: it is an image
  if (tag !== undefined && found.size > 0) return;
  if (tag !== undefined) await untag(context, tag);
  await host.removeDirectory(`${files.imagesDir}/${key}`);
}

/** @returns whether nothing of the name belongs to a pod */
async function removeObjects(
  context: PodmanContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const [containers, pods] = await Promise.all([
    listContainers(context, signal),
    listPods(context, signal),
  ]);
  const { stored } = await glanceAtStore(context, signal);
  const named = containers.filter(({ Names }) => Names.includes(name));
  const pod = pods.find(({ Name }) => Name === name);
  const members = containers.filter(({ Pod }) => pod !== undefined && Pod === pod.Id);
  const own = [...named, ...members].filter((each) => ownName(each) !== undefined);
  if (own.some((each) => !isHalfRemoved(each, stored))) return false;
  await removeNoted(context, name, async () => {
    if (pod !== undefined) await removePodmanPod(context, pod.Id);
    await removeContainers(
      context,
      named.map(({ Id }) => Id),
    );
    if (pod !== undefined) await endInfra(context, pod);
  });
  return true;
}
