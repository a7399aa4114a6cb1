import { identityLabels, readLabels } from "../../../engine/index.ts";
import { LABEL_CONTAINER, objectName, type PodIdentity } from "../../../model/index.ts";
import {
  type InspectedContainer,
  type ListedContainer,
  type ListedPod,
  PodPsAnswer,
  PsAnswer,
} from "../cli/answers.ts";
import { listAgain } from "../cli/list-again.ts";
import type { PodmanContext } from "../context.ts";
import { glanceAtStore, type StoredContainer } from "../store/store-used.ts";

/** Every container of the store, whoever made it, with those that only have a file system left. */
export async function listContainers(
  { cli }: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<readonly ListedContainer[]> {
  const args = ["ps", "--all", "--external", "--pod", "--no-trunc", "--format", "json"];
  const call = { doing: "list containers", ...(signal === undefined ? {} : { signal }) };
  return await listAgain(() => cli.json(args, PsAnswer, call));
}

/** Every podman pod of the store. */
export async function listPods(
  { cli }: PodmanContext,
  signal: AbortSignal | undefined,
): Promise<readonly ListedPod[]> {
  const args = ["pod", "ps", "--no-trunc", "--format", "json"];
  const call = { doing: "list pods", ...(signal === undefined ? {} : { signal }) };
  return await listAgain(() => cli.json(args, PodPsAnswer, call));
}

/** Containers in all their detail, in one command; those that went meanwhile are left out. */
export async function inspectContainers(
  context: PodmanContext,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly InspectedContainer[]> {
  if (ids.length === 0) return [];
  const asked = new Set(ids);
  const found = await context.inspect.ask(ids, signal);
  return found.filter(({ Id, Name }) => asked.has(Id) || asked.has(Name));
}

/** What of one generation is in podman. */
export interface Generation {
  /** Its containers, by their name in the pod. */
  readonly containers: ReadonlyMap<string, ListedContainer>;
  /** The container that holds a podman pod's namespaces. */
  readonly infra: ListedContainer | undefined;
  /** Ids of those whose removal was interrupted: the store has nothing of them, and podman fails on them. */
  readonly halfRemoved: readonly string[];
}

/** Looks for a generation by its labels. */
export async function findGeneration(
  context: PodmanContext,
  identity: PodIdentity,
  signal: AbortSignal | undefined,
): Promise<Generation> {
  const { [LABEL_CONTAINER]: _, ...labels } = identityLabels(identity, "");
  const filters = Object.entries(labels).flatMap(([key, value]) => [
    "--filter",
    `label=${key}=${value}`,
  ]);
  const args = ["ps", "--all", "--pod", "--no-trunc", ...filters, "--format", "json"];
  const call = { doing: "look for a pod", ...(signal === undefined ? {} : { signal }) };
  const found = await listAgain(() => context.cli.json(args, PsAnswer, call));
  // after the list: what is made meanwhile is stored before podman lists it
  const { stored } = await glanceAtStore(context, signal);
  const containers = new Map<string, ListedContainer>();
  const halfRemoved: string[] = [];
  for (const each of found) {
    const name = ownName(each);
    if (name === undefined) continue;
    if (isHalfRemoved(each, stored)) halfRemoved.push(each.Id);
    else containers.set(name, each);
  }
  const pod = objectName(identity);
  return {
    containers,
    halfRemoved,
    infra: found.find(({ IsInfra, PodName }) => IsInfra && PodName === pod),
  };
}

/** Whether podman still lists a container that is no longer in the store. */
export function isHalfRemoved(
  { Id }: ListedContainer,
  stored: readonly StoredContainer[] | undefined,
): boolean {
  return stored !== undefined && !stored.some(({ id }) => id === Id);
}

/**
 * Name that a container has in its pod; undefined when it is not Stowage's. One whose labels came from
 * its image, or were copied by somebody, has another name in podman.
 */
export function ownName({ Labels, Names, IsInfra }: ListedContainer): string | undefined {
  const labels = IsInfra ? undefined : readLabels(Labels);
  if (labels === undefined) return undefined;
  const [name] = Names;
  const { container } = labels;
  return name === objectName(labels) || name === objectName(labels, container)
    ? container
    : undefined;
}
