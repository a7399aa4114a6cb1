import type { PodInstance } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { objectName } from "../../../model/index.ts";
import type { PodmanContext } from "../context.ts";
import { processesOf } from "./cgroup-processes.ts";
import { areRuntimes } from "./life.ts";
import type { PlannedContainer } from "./planned-container.ts";
import { continuePrepared, freeName, makeContainer } from "./prepare-pod.ts";
import { seeContainers } from "./see-containers.ts";
import { settleStart } from "./settle-start.ts";

/**
 * Makes and runs a pod of one container that was prepared for it, in one command.
 *
 * @returns false when it was not, or when it is there already and has to be started
 */
export async function runDeferred(
  context: PodmanContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const name = objectName(pod.identity);
  const deferred = context.deferred.get(name);
  // taken out whatever becomes of it: a second try looks first
  context.deferred.delete(name);
  if (deferred?.recordDigest !== pod.recordDigest) return false;
  const id = await runContainer(context, pod, deferred.plan, signal);
  if (id === undefined) return false;
  if (await isRunning(context, id, signal)) return true;
  await settleStart(context, pod, await seeContainers(context, pod, signal), [], signal);
  return true;
}

/** @returns its id; undefined when the generation is there already */
async function runContainer(
  context: PodmanContext,
  pod: PodInstance,
  plan: PlannedContainer,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return await makeContainer(context, "run", plan, signal);
  } catch (error) {
    if (signal?.aborted === true || !StowageError.is(error, "already_exists")) throw error;
    if (await continuePrepared(context, pod, { startsNext: true })) return undefined;
    await freeName(context, pod.identity);
    return await makeContainer(context, "run", plan, signal);
  }
}

/** Whether the kernel has a process of it that is the user's: then podman need not be asked. */
async function isRunning(
  { host }: PodmanContext,
  id: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const pids = await processesOf(host, [id], undefined, signal);
  return pids.length > 0 && !(await areRuntimes(host, pids, signal));
}
