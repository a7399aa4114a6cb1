import type { PodInstance, StartOptions } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { objectName } from "../../../model/index.ts";
import { describePod, type RktContext } from "../context.ts";
import { appName } from "../layout.ts";
import { type ContainerStanding, standingOf } from "./container-state.ts";
import { killProcesses } from "./end-processes.ts";
import {
  releaseExclusive,
  sharesNamespace,
  type TmpfsVolumes,
  takeExclusive,
} from "./exclusive.ts";
import { launchContainer } from "./launch-container.ts";
import type { ContainerFile, PodFile } from "./pod-file.ts";
import { prepareFrom } from "./prepare-pod.ts";
import { readPod } from "./read-pods.ts";

/** Runs the containers of a generation that do not run. A pod of rkt's runs once: one that ended is prepared again. */
export async function startPod(
  context: RktContext,
  pod: PodInstance,
  { signal, containers: wanted, again = false }: StartOptions,
): Promise<void> {
  const name = objectName(pod.identity);
  const { pod: found, seen } = await readPod(context, pod.identity, name, [], signal);
  if (found?.file === undefined) throw missingPod(pod);
  const file = found.file;
  const standings = Object.keys(file.containers).map(
    (container) => [container, standingOf(seen, found, container)] as const,
  );
  const down = standings.filter(
    ([container, { state }]) => state !== "running" && (wanted?.includes(container) ?? true),
  );
  if (down.length === 0) return;
  signal?.throwIfAborted();
  const ready = await makeReady(context, file, name, down, again);
  await takeShared(context, pod, name, down.length === standings.length);
  await settleAll(
    down.map(([container]) => launchContainer(context, pod, ready, container, signal)),
  );
  // the pods of earlier runs go when the new ones run: until then they are all that can be shown
  await context.cli.removePods(
    seen.rktPods
      .filter(({ apps }) =>
        apps.some((app) => down.some(([c]) => appName(pod.identity, c) === app)),
      )
      .filter(({ uuid }) => Object.values(ready.containers).every((each) => each.uuid !== uuid))
      .filter(({ phase }) => phase !== "garbage" && phase !== "embryo")
      .map(({ uuid }) => uuid),
  );
}

/** Prepares again what ran already. @returns the pod's file with the pods of rkt's that are to run */
async function makeReady(
  context: RktContext,
  file: PodFile,
  name: string,
  down: readonly (readonly [string, ContainerStanding])[],
  again: boolean,
): Promise<PodFile> {
  const { host, layout } = context;
  const ran = down.filter(([, { rktPod }]) => rktPod?.phase !== "prepared");
  // whatever of the last run still runs would be counted as this one's
  const apps = down.map(([container]) => appName(file.identity, container));
  if (ran.length > 0) await killProcesses(context, apps, { supervisors: true });
  const counts = down.some(([container]) => file.containers[container]?.restarts !== undefined);
  if (ran.length === 0 && (again || !counts)) return file;
  const uuids = await settleAll(
    ran.map(async ([container]) => {
      const manifest = `${layout.podDir(name)}/${container}.manifest`;
      return [container, await prepareFrom(context, manifest)] as const;
    }),
  );
  const containers = { ...file.containers };
  for (const [container] of down) {
    const known = containers[container];
    if (known !== undefined && !again) containers[container] = counted(known, again);
  }
  for (const [container, uuid] of uuids) {
    const known = containers[container];
    if (known !== undefined) containers[container] = { ...counted(known, again), uuid };
  }
  const ready = { ...file, containers };
  await host.writeFile(`${layout.podDir(name)}/pod.json`, JSON.stringify(ready));
  return ready;
}

/** Counts a start that the restart policy wants; any other one resets the count. */
function counted({ restarts = 0, ...file }: ContainerFile, again: boolean): ContainerFile {
  return again ? { ...file, restarts: restarts + 1 } : file;
}

async function takeShared(
  context: RktContext,
  { spec }: PodInstance,
  name: string,
  anew: boolean,
): Promise<void> {
  const volumes = Object.fromEntries(
    Object.entries(spec.volumes ?? {}).filter(([, { kind }]) => kind === "tmpfs"),
  ) as TmpfsVolumes;
  const shared = sharesNamespace(spec);
  if (anew && Object.keys(volumes).length > 0)
    await releaseExclusive(context, name, Object.keys(volumes));
  await takeExclusive(context, name, volumes, shared);
}

/** The error of a generation that is not there, or not all made. */
export function missingPod({ identity }: Pick<PodInstance, "identity">): StowageError {
  return new StowageError(
    `Cannot find ${describePod(identity)}: it is not there, or incomplete; prepare it`,
    { code: "not_found", context: { pod: identity.pod } },
  );
}
