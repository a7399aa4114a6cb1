import { isDeepStrictEqual } from "node:util";
import type { PodInstance } from "../../../engine/index.ts";
import { Tasks } from "../../../gen/containerd/services/tasks/v1/tasks_pb.ts";
import { settleAll } from "../../../internal/index.ts";
import { imageName, LABEL_RECORD } from "../../../model/index.ts";
import type { OciResources } from "../spec/oci-spec.ts";
import { resourceUpdate } from "../spec/resource-limits.ts";
import {
  notesIn,
  RESOURCES_TYPE_URL,
  type StoredSpec,
  specBytes,
  updateStoredSpec,
} from "../spec/stored-spec.ts";
import {
  type ContainerRecord,
  setContainerImage,
  setContainerLabel,
  storedSpecOf,
  updateContainerSpec,
} from "./container-records.ts";
import type { PodContext } from "./pod-context.ts";
import { makeAnew, recordsOf } from "./start-pod.ts";
import { getTask } from "./tasks.ts";

/**
 * Gives a generation its new specification: the running cgroups first, since the kernel may refuse
 * them, then the stored specs, which the next start goes by, last of all the record's digest.
 */
export async function updatePod(
  context: PodContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<void> {
  const records = await recordsOf(context, pod, signal);
  signal?.throwIfAborted();
  context.fresh.forget(pod.identity);
  await settleAll(
    [...records].map(([name, record]) => updateContainer(context, pod, name, record)),
  );
  await settleAll(
    [...records.values()].map(({ id }) =>
      setContainerLabel(context.client, id, [LABEL_RECORD, pod.recordDigest]),
    ),
  );
}

async function updateContainer(
  context: PodContext,
  pod: PodInstance,
  name: string,
  record: ContainerRecord,
): Promise<void> {
  const { client } = context;
  const { id } = record;
  const image = pod.images[name];
  const named = image === undefined ? record.image : imageName(image.reference, image.digest);
  if (named !== record.image) await setContainerImage(client, id, named);
  const before = storedSpecOf(record);
  const after = updateStoredSpec(before, pod.spec, name);
  const task = await getTask(client, id);
  if (task !== undefined && task.state !== "exited") {
    await updateCgroup(context, id, before, after);
  }
  if (isDeepStrictEqual(before, after)) return;
  await updateContainerSpec(client, id, after);
  // a created task has taken over what its next start would have come with
  if (task?.state === "prepared" && !sameButLimits(before, after)) {
    await makeAnew(context, { ...record, specBytes: specBytes(after) });
  }
}

async function updateCgroup(
  { client, facts }: PodContext,
  id: string,
  before: StoredSpec,
  after: StoredSpec,
): Promise<void> {
  const [was, is] = [limitsOf(before), limitsOf(after)];
  const freed = was.cpu?.cpus !== undefined && is.cpu?.cpus === undefined;
  const update = resourceUpdate(was, is, freed ? await facts.everyCpu() : undefined);
  if (Object.keys(update).length === 0) return;
  await client.unary(
    Tasks.method.update,
    { containerId: id, resources: { typeUrl: RESOURCES_TYPE_URL, value: specBytes(update) } },
    { doing: `change the limits of container "${id}"` },
  );
}

function limitsOf({ linux: { resources } }: StoredSpec): OciResources {
  const { cpu, memory, pids } = resources;
  // what comes from JSON has no undefined in it
  return JSON.parse(JSON.stringify({ cpu, memory, pids })) as OciResources;
}

/** Whether nothing differs that a created process cannot be given any more. */
function sameButLimits(before: StoredSpec, after: StoredSpec): boolean {
  const made = ({ annotations: _, linux, ...spec }: StoredSpec): unknown => ({
    ...spec,
    linux: { ...linux, resources: {} },
  });
  return (
    isDeepStrictEqual(made(before), made(after)) &&
    isDeepStrictEqual(notesIn(before)?.logging, notesIn(after)?.logging)
  );
}
