import { settleAll } from "../../../internal/index.ts";
import { objectName, type PodIdentity } from "../../../model/index.ts";
import type { PodmanContext } from "../context.ts";
import { findGeneration, listPods } from "./lists.ts";

/** Takes away everything of a generation: what was changed of it last, so that it is found until then. */
export async function removePod(
  context: PodmanContext,
  identity: PodIdentity,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [{ containers }, pods] = await Promise.all([
    findGeneration(context, identity, signal),
    listPods(context, signal),
  ]);
  const name = objectName(identity);
  const pod = pods.find((each) => each.Name === name);
  const ids = [...containers.values()].map(({ Id }) => Id);
  signal?.throwIfAborted();
  if (pod !== undefined) await removePodmanPod(context, pod.Id);
  await removeContainers(context, ids, pod === undefined ? undefined : pod.Id);
  await context.host.removeFile(context.files.podFile(identity));
}

/** Removes a pod of podman's with its containers; gone already: nothing happens. */
export async function removePodmanPod({ cli }: PodmanContext, name: string): Promise<void> {
  await cli.change(["pod", "rm", "--force", "--time", "0", name], {
    doing: `remove pod "${name}"`,
  });
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
}

async function forceRemove({ cli }: PodmanContext, ids: readonly string[]): Promise<void> {
  const call = { doing: "remove containers" };
  const args = ["rm", "--force", "--volumes", "--time", "0", ...ids];
  const first = await cli.run(args, call);
  // the first try on a container that died with its watcher may fail, and mends it
  if (first.exitCode !== 0) await cli.change(args, call);
}

/** Cgroups that a container of an id may have, by podman's manager of cgroups and their version. */
function cgroupsOf(id: string, podId: string | undefined): readonly string[] {
  const paths = [
    `libpod_parent/libpod-${id}`,
    ...(podId === undefined ? [] : [`libpod_parent/${podId}/libpod-${id}`]),
    `machine.slice/libpod-${id}.scope`,
    `machine.slice/libpod-${id}.scope/container`,
    `machine.slice/machine-libpod_pod_*.slice/libpod-${id}.scope`,
    `machine.slice/machine-libpod_pod_*.slice/libpod-${id}.scope/container`,
  ];
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"].flatMap((root) =>
    paths.map((path) => `${root}/${path}/cgroup.procs`),
  );
}

/** Ends processes that podman lost sight of: it says that it removed their container, and they live on. */
async function endOrphans(
  { host }: PodmanContext,
  ids: readonly string[],
  podId: string | undefined,
): Promise<void> {
  const { files } = await host.snapshot({ files: ids.flatMap((id) => cgroupsOf(id, podId)) });
  const pids = [...files.values()]
    .flatMap((text) => (typeof text === "string" ? text.split("\n") : []))
    .filter((line) => /^[1-9]\d*$/.test(line));
  await settleAll([...new Set(pids)].map(async (pid) => await host.run(["kill", "-KILL", pid])));
}
