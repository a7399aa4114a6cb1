import type { PodInstance, StartOptions } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { LABEL_RECORD } from "../../../model/index.ts";
import { withNetworkPath } from "../spec/stored-spec.ts";
import { containerId } from "./container-id.ts";
import {
  type ContainerRecord,
  setContainerLabel,
  storedSpecOf,
  updateContainerSpec,
} from "./container-records.ts";
import { getGeneration } from "./find-generation.ts";
import { ensureHostFiles } from "./host-files.ts";
import { makeTask } from "./make-task.ts";
import { isPinned, pinNetworkNamespace } from "./network-namespace.ts";
import { describePod, networkNamespacePath, type PodContext } from "./pod-context.ts";
import { restartsIn, restartsLabel } from "./pod-labels.ts";
import { sharesNetworkNamespace } from "./prepare-pod.ts";
import { deleteTask, getTask, resumeTask, snapshotMounts, startTask } from "./tasks.ts";

/** Runs the processes of a generation that do not run: those created, ended, paused, or lost by a reboot. */
export async function startPod(
  context: PodContext,
  pod: PodInstance,
  options: StartOptions,
): Promise<void> {
  const { signal, containers = Object.keys(pod.spec.containers) } = options;
  const names = [...containers].sort();
  signal?.throwIfAborted();
  const ended = await settleAll(
    names.map(async (name) => ((await startCreated(context, pod, name)) ? [] : [name])),
  );
  const again = ended.flat();
  if (again.length > 0) await startAgain(context, pod, again, options);
  if (names.length === Object.keys(pod.spec.containers).length) context.fresh.started(pod);
}

/** @returns false when the container has no task that can be started */
async function startCreated(context: PodContext, pod: PodInstance, name: string): Promise<boolean> {
  const { client } = context;
  const id = containerId(pod.identity, name);
  try {
    // first of all, since each call before it is time in which the pod is down
    await startTask(client, id);
    return true;
  } catch (error) {
    if (!StowageError.is(error)) throw error;
    const task = await getTask(client, id);
    if (task?.state === "running") return true;
    if (task?.state === "paused") {
      await resumeTask(client, id);
      return true;
    }
    if (task !== undefined && task.state !== "exited") throw error;
    return false;
  }
}

async function startAgain(
  context: PodContext,
  pod: PodInstance,
  names: readonly string[],
  { signal, again = false }: StartOptions,
): Promise<void> {
  const { client, directories, host } = context;
  const records = await recordsOf(context, pod, signal);
  await settleAll(names.map((name) => count(context, records.get(name), again)));
  // created again where a reboot took them
  await ensureHostFiles(host, directories, pod.spec.network?.mode ?? "none");
  let rest = names;
  if (sharesNetworkNamespace(pod.spec)) {
    const path = networkNamespacePath(directories, pod.identity);
    if (!(await isPinned(host, path))) rest = await restoreNamespace(context, records, names, path);
  }
  await settleAll(
    rest.map(async (name) => {
      const record = records.get(name) as ContainerRecord;
      await makeAnew(context, record);
      await startTask(client, record.id);
    }),
  );
}

/** Counts a start that the restart policy wants, before it; any other one resets it. */
async function count(
  { client }: PodContext,
  record: ContainerRecord | undefined,
  again: boolean,
): Promise<void> {
  if (record === undefined) return;
  const before = restartsIn(record.labels);
  if (!again && before === 0) return;
  await setContainerLabel(client, record.id, restartsLabel(again ? before + 1 : 0));
}

/**
 * Pins a pod's network namespace again: that of a container which runs, else a new one, which the
 * runtime makes for the first container that is started.
 *
 * @returns the containers that are still to be started
 */
async function restoreNamespace(
  context: PodContext,
  records: ReadonlyMap<string, ContainerRecord>,
  names: readonly string[],
  path: string,
): Promise<readonly string[]> {
  const { client, host } = context;
  const others = [...records].filter(([name]) => !names.includes(name));
  for (const [, { id }] of others) {
    const task = await getTask(client, id);
    if (task?.state !== "running") continue;
    await pinNetworkNamespace(host, path, task.pid);
    return names;
  }
  const [first = "", ...rest] = names;
  const record = records.get(first) as ContainerRecord;
  const spec = storedSpecOf(record);
  await updateContainerSpec(client, record.id, withNetworkPath(spec, undefined));
  await deleteTask(client, record.id);
  const rootfs = await snapshotMounts(client, record.snapshotter, record.snapshotKey);
  const pid = await makeTask(context, record.id, withNetworkPath(spec, undefined), rootfs);
  await pinNetworkNamespace(host, path, pid);
  await updateContainerSpec(client, record.id, withNetworkPath(spec, path));
  await startTask(client, record.id);
  return rest;
}

/** Creates a container's task on the snapshot of the one that ended. */
export async function makeAnew(context: PodContext, record: ContainerRecord): Promise<void> {
  const { client } = context;
  await deleteTask(client, record.id);
  const rootfs = await snapshotMounts(client, record.snapshotter, record.snapshotKey);
  await makeTask(context, record.id, storedSpecOf(record), rootfs);
}

/**
 * The records of all containers of a generation that was prepared to its end.
 *
 * @throws StowageError `not_found` when there is no such generation
 */
export async function recordsOf(
  context: PodContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ContainerRecord>> {
  const names = Object.keys(pod.spec.containers);
  const records = await getGeneration(context, pod.identity, names, signal);
  const missing = names.find((name) => records.get(name)?.labels[LABEL_RECORD] === undefined);
  if (missing === undefined) return records;
  throw new StowageError(
    `Cannot find ${describePod(pod.identity)}: its container "${missing}" is not there, or incomplete; prepare it`,
    { code: "not_found", context: { pod: pod.identity.pod, container: missing } },
  );
}
