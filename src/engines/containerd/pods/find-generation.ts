import { readLabels } from "../../../engine/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import { notesIn, parseStoredSpec } from "../spec/stored-spec.ts";
import { containerId } from "./container-id.ts";
import { type ContainerRecord, getContainer, listContainers } from "./container-records.ts";
import { generationKey, type PodContext } from "./pod-context.ts";
import { generationFilter } from "./pod-labels.ts";

/** Containers of a generation, by their name in the pod. */
export type Generation = ReadonlyMap<string, ContainerRecord>;

/** The containers of a generation whose names are known: one small call each. */
export async function getGeneration(
  { client, names: known }: PodContext,
  identity: PodIdentity,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Generation> {
  const found = await Promise.all(
    names.map(async (name): Promise<[string, ContainerRecord][]> => {
      const record = await getContainer(client, containerId(identity, name), signal);
      return record === undefined ? [] : [[name, record]];
    }),
  );
  known.set(generationKey(identity), names);
  return new Map(found.flat());
}

/**
 * The containers of a generation. The daemon reads all of its containers to find some by a label, so
 * those that were seen before are asked for by their ids.
 */
export async function findGeneration(
  context: PodContext,
  identity: PodIdentity,
  signal: AbortSignal | undefined,
): Promise<Generation> {
  const names = context.names.get(generationKey(identity));
  if (names !== undefined) {
    const found = await getGeneration(context, identity, names, signal);
    if (isWhole(found)) return found;
  }
  const records = await listContainers(context.client, [generationFilter(identity)], signal);
  return new Map(
    records.flatMap((record): [string, ContainerRecord][] => {
      const name = readLabels(record.labels)?.container;
      // one whose labels somebody copied is not ours
      return name !== undefined && record.id === containerId(identity, name)
        ? [[name, record]]
        : [];
    }),
  );
}

/** Whether the containers that were found name no others. */
function isWhole(found: Generation): boolean {
  if (found.size === 0) return false;
  return [...found.values()].every(({ specBytes }) => {
    const spec = parseStoredSpec(specBytes);
    const notes = spec === undefined ? undefined : notesIn(spec);
    return notes?.containers.every((name) => found.has(name)) ?? false;
  });
}
