import { setTimeout as delay } from "node:timers/promises";
import { settleAll } from "../../../internal/index.ts";
import { objectName, type PodIdentity } from "../../../model/index.ts";
import type { ListedPod } from "../cli/answers.ts";
import { nothingDone } from "../cli/podman-error.ts";
import type { PodmanContext } from "../context.ts";
import { processesOf } from "./cgroup-processes.ts";
import { findGeneration, inspectContainers, listPods } from "./lists.ts";
import { forgetRestarts } from "./restart-counts.ts";
import { forgetInRuntimes } from "./runtime-state.ts";

/** Removes everything of a generation: what was changed of it last, so that it is found until then. */
export async function removePod(
  context: PodmanContext,
  identity: PodIdentity,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [{ containers, halfRemoved }, pods] = await Promise.all([
    findGeneration(context, identity, signal),
    listPods(context, signal),
  ]);
  const name = objectName(identity);
  context.deferred.delete(name);
  context.fresh.delete(name);
  const pod = pods.find((each) => each.Name === name);
  const ids = [...[...containers.values()].map(({ Id }) => Id), ...halfRemoved];
  signal?.throwIfAborted();
  const removeAll = async (): Promise<void> => {
    if (pod !== undefined) await removePodmanPod(context, pod.Id);
    await removeContainers(context, ids, pod === undefined ? undefined : pod.Id);
    if (pod !== undefined) await endInfra(context, pod);
    await context.host.removeFile(context.files.podFile(identity));
    await forgetRestarts(context, identity);
  };
  if (pod === undefined && ids.length === 0) {
    await removeAll();
    await context.host.removeFile(context.files.unfinishedFile(name));
  } else {
    await removeNoted(context, name, removeAll);
  }
}

/**
 * Removes what has a name of Stowage's, with a note of it meanwhile: podman gives up a container's file
 * system before its name, so that one whose removal was interrupted is in none of the store's files.
 */
export async function removeNoted(
  { host, files }: PodmanContext,
  name: string,
  remove: () => Promise<void>,
): Promise<void> {
  await host.writeFile(files.unfinishedFile(name), "");
  await remove();
  await host.removeFile(files.unfinishedFile(name));
}

/** Removes a container by its name, whatever its state; gone already: nothing happens. */
export async function removeNamed(context: PodmanContext, name: string): Promise<void> {
  const found = await inspectContainers(context, [name], undefined);
  const ids = found.length === 0 ? [name] : found.map(({ Id }) => Id);
  await removeNoted(context, name, async () => await removeContainers(context, ids));
}

/** Removes a pod of podman's with its containers; gone already: nothing happens. */
export async function removePodmanPod({ cli }: PodmanContext, name: string): Promise<void> {
  const doing = `remove pod "${name}"`;
  const args = ["pod", "rm", "--force", "--time", "0", name];
  await cli.change(args, { doing });
  const still = await cli.run(["pod", "exists", name], { doing });
  if (still.exitCode === 0) throw nothingDone(doing, args);
}

/**
 * Ends the infra container of a pod that is removed, which podman loses track of once its run directories were emptied,
 * and takes its cgroups away.
 */
export async function endInfra(
  context: Pick<PodmanContext, "host">,
  { InfraId }: ListedPod,
): Promise<void> {
  if (InfraId === "") return;
  await endOrphans(context, [InfraId], undefined);
  await forgetInRuntimes(context.host, [InfraId]);
}

/**
 * Removes containers, whatever their state, with what has their names or ids and no container; gone
 * already: nothing happens. No process of them is left.
 */
export async function removeContainers(
  context: PodmanContext,
  ids: readonly string[],
  podId?: string,
): Promise<void> {
  if (ids.length === 0) return;
  await forceRemove(context, ids);
  await endOrphans(context, ids, podId);
  await forgetInRuntimes(context.host, ids);
}

/** podman also says that it removed what it did not. */
async function forceRemove(context: PodmanContext, ids: readonly string[]): Promise<void> {
  const { cli } = context;
  const call = { doing: "remove containers" };
  const args = ["rm", "--force", "--volumes", "--time", "0", ...ids];
  const first = await cli.run(args, call);
  // the first try on a container that died with its watcher may fail, and repairs it
  if (first.exitCode !== 0) await cli.change(args, call);
  const left = await inspectContainers(context, ids, undefined);
  if (left.length > 0) throw nothingDone(call.doing, args);
}

/** How often, and how many times, it is looked whether a killed process has ended. */
const END_POLL_MS = 10;
const END_TRIES = 500;

/** Ends processes that podman lost sight of: it says that it removed their container, and they live on. */
export async function endOrphans(
  { host }: Pick<PodmanContext, "host">,
  ids: readonly string[],
  podId: string | undefined,
): Promise<void> {
  for (let tries = 0; tries < END_TRIES; tries += 1) {
    const pids = await processesOf(host, ids, podId, undefined);
    if (pids.length === 0) return;
    await settleAll(pids.map(async (pid) => await host.run(["kill", "-KILL", `${pid}`])));
    await delay(END_POLL_MS);
  }
}
