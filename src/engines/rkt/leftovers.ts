import { OBJECT_PREFIX } from "../../model/index.ts";
import { isUuid } from "./cli/parse-output.ts";
import type { RktContext } from "./context.ts";
import { removeImport } from "./images/remove-image.ts";
import { appName } from "./layout.ts";
import { isOurApp, listLeftovers, listStored, POD_LEFTOVER } from "./observe-engine.ts";
import { killProcesses, removeCgroups } from "./pods/end-processes.ts";
import { readPods } from "./pods/read-pods.ts";

/** Removes a leftover; what belongs to a pod or an image by now stays. */
export async function removeLeftover(
  context: RktContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  if (!name.startsWith(OBJECT_PREFIX)) return;
  if (!name.startsWith("stw-img-")) return await removeNow(context, name, signal);
  await context.images.alone(() => removeNow(context, name, signal));
}

async function removeNow(
  context: RktContext,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { host, layout, cli } = context;
  const listed = await listStored(context, signal);
  const seen = await readPods(context, signal, {
    files: [`${layout.imagesDir}/*/fleet-*`],
    list: [layout.imagesDir, `${layout.root}/tmp`, layout.podsDir],
  });
  if (!listLeftovers(context, seen, listed).some((each) => each.name === name)) return;
  if (name.startsWith("stw-img-")) return await removeImport(context, name);
  const uuid = name.slice(POD_LEFTOVER.length);
  if (name.startsWith(POD_LEFTOVER) && isUuid(uuid)) {
    const apps = seen.rktPods.find((each) => each.uuid === uuid)?.apps ?? [];
    const used = new Set(
      seen.pods.flatMap(({ identity, file }) =>
        Object.keys(file?.containers ?? {}).map((container) => appName(identity, container)),
      ),
    );
    // an app of a pod that is there runs on in the same cgroup
    const stray = apps.filter((app) => isOurApp(app) && !used.has(app));
    await killProcesses(context, stray, { supervisors: true });
    await cli.removePods([uuid]);
    return;
  }
  await killProcesses(context, [name], { supervisors: true });
  await removeCgroups(context, [name]);
  await host.removeDirectory(layout.logDir(name));
  await host.removeDirectory(layout.podDir(name));
}
