import { setTimeout as sleep } from "node:timers/promises";
import type { PodInstance } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { objectName } from "../../../model/index.ts";
import type { PodmanContext } from "../context.ts";
import { processesOf } from "./cgroup-processes.ts";
import { freshPod } from "./fresh-pods.ts";
import type { PlannedContainer } from "./planned-container.ts";
import { continuePrepared, freeName, makeContainer } from "./prepare-pod.ts";
import { seeStarted, settleStart } from "./settle-start.ts";

/** podman comes back a moment before the runtime becomes the user's program. */
const LOOKS = 3;
const LOOK_PAUSE_MS = 10;

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
  // the kernel has a process of it that is the user's: then podman need not be asked
  for (let tries = 1; tries <= LOOKS; tries += 1) {
    const pids = await processesOf(context.host, [id], undefined, signal);
    if (pids.length === 0) break;
    const fresh = await freshPod(context.host, pod, { id, pids }, signal);
    if (fresh !== undefined) {
      context.fresh.set(name, fresh);
      return true;
    }
    await sleep(LOOK_PAUSE_MS, undefined, { signal });
  }
  await settleStart(context, pod, await seeStarted(context, pod, signal), [], signal);
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
