import { objectName, type PodIdentity } from "../../../model/index.ts";
import type { RktContext } from "../context.ts";
import { appName } from "../layout.ts";
import { killProcesses, removeCgroups } from "./end-processes.ts";
import { releaseExclusive } from "./exclusive.ts";
import { readPod } from "./read-pods.ts";

/**
 * Removes everything of a generation: processes, cgroups, pods of rkt's by their UUIDs (never by its
 * collector, which is the whole host's), output, and last its files, by which all of it is found.
 */
export async function removePod(
  context: RktContext,
  identity: PodIdentity,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, layout, cli } = context;
  const name = objectName(identity);
  const { pod, seen } = await readPod(context, identity, name, [], signal);
  if (pod === undefined) return;
  signal?.throwIfAborted();
  const containers = new Set([...Object.keys(pod.file?.containers ?? {}), ...pod.manifests.keys()]);
  const apps = [...containers].map((container) => appName(identity, container));
  await killProcesses(context, apps, { supervisors: true });
  // the manifest of one that was damaged names no app
  const own = new Set(Object.values(pod.file?.containers ?? {}).map(({ uuid }) => uuid));
  const uuids = seen.rktPods
    .filter((each) => own.has(each.uuid) || each.apps.some((app) => apps.includes(app)))
    .filter(({ phase }) => phase !== "garbage" && phase !== "embryo")
    .map(({ uuid }) => uuid);
  await cli.removePods(uuids);
  await releaseExclusive(context, name, [...(pod.file?.tmpfs ?? [])]);
  await removeCgroups(context, apps);
  for (const app of apps) {
    await host.removeFile(`${layout.runRoot}/pipes/${app}.out`);
    await host.removeFile(`${layout.runRoot}/pipes/${app}.err`);
    await host.removeDirectory(layout.logDir(app));
  }
  await host.removeDirectory(layout.podDir(name));
}
