import type { PodInstance, StartOptions } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { containerName, isPodmanPod, planContainer } from "./container-plan.ts";
import { isLost, isPoisoned } from "./container-state.ts";
import { readLives } from "./life.ts";
import { findGeneration, inspectContainers } from "./lists.ts";
import { remakeContainer } from "./prepare-pod.ts";
import { endOrphans, removeNamed } from "./remove-pod.ts";
import { countRestarts, forgetRestarts } from "./restart-counts.ts";
import { runDeferred } from "./run-deferred.ts";
import { type Seen, seeContainers } from "./see-containers.ts";
import { seeStarted, settleStart } from "./settle-start.ts";

/** Runs the processes of a generation that do not run: those that wait, ended, or were lost. */
export async function startPod(
  context: PodmanContext,
  pod: PodInstance,
  { signal, containers: wanted, again = false }: StartOptions,
): Promise<void> {
  if (await runDeferred(context, pod, signal)) return;
  const isWanted = ({ name }: Seen): boolean => wanted?.includes(name) ?? true;
  const all = await seeContainers(context, pod, signal);
  const before = all.filter(isWanted);
  const spoilt = before.filter(
    (each) => isPoisoned(each.found, each.life) || isLost(each.found, each.life),
  );
  // one that runs, only podman does not know
  const helpless = spoilt.filter(({ life }) => !life.alive);
  await settleAll(helpless.map(({ name }) => remake(context, pod, name, signal)));
  const idle = before.filter(({ life }) => !(life.alive && !life.waiting));
  // podman would run another beside one that it lost sight of
  const orphaned = before.filter(({ life }) => life.orphan !== undefined);
  await settleAll(
    orphaned.map(({ found }) => endOrphans(context, [found.Id], found.Pod || undefined)),
  );
  const paused = before.filter(({ found }) => found.State.Status === "paused");
  const stale = await staleMembers(context, pod, all, signal);
  if (again) await countRestarts(context, pod.identity, idle);
  else if (idle.length > 0) await forgetRestarts(context, pod.identity);
  await settleAll([
    resume(
      context,
      paused.map(({ found }) => found.Id),
      signal,
    ),
    restart(context, pod, stale, signal),
    start(
      context,
      pod,
      idle.map(({ name }) => name),
      signal,
    ),
  ]);
  const now = (await seeStarted(context, pod, signal)).filter(isWanted);
  await settleStart(context, pod, now, before, signal);
}

async function start(
  context: PodmanContext,
  pod: PodInstance,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (names.length === 0) return;
  const ids = names.map((name) => containerName(pod.identity, name, pod.spec.containers));
  try {
    await context.start.ask(ids, signal);
  } catch (error) {
    if (!isSpoilt(error)) throw error;
    // a killed start left the container so that podman can do nothing with it
    await settleAll(names.map((name) => remakeIdle(context, pod, name, signal)));
    await context.start.ask(ids, signal);
  }
}

/** What podman says of a container that a start was killed in; first what runc says to it, and crun. */
function isSpoilt(error: unknown): boolean {
  return (
    StowageError.is(error) &&
    /with given ID already exists|container `[^`]*` already exists|cannot start an already running container|has already been created|exec\.fifo/i.test(
      error.message,
    )
  );
}

async function remakeIdle(
  context: PodmanContext,
  pod: PodInstance,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const seen = (await seeContainers(context, pod, signal)).find((each) => each.name === name);
  if (seen?.life.alive === true && !seen.life.waiting && seen.found.State.Status === "running")
    return;
  await remake(context, pod, name, signal);
}

/** Makes one container again, its writable layer with it. */
async function remake(
  context: PodmanContext,
  pod: PodInstance,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const plan = await planContainer(context, pod, name);
  signal?.throwIfAborted();
  await removeNamed(context, plan.id);
  await remakeContainer(context, plan, signal);
}

async function resume(
  { cli }: PodmanContext,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (ids.length === 0) return;
  await cli.change(["unpause", ...ids], {
    doing: "resume containers",
    ...(signal === undefined ? {} : { signal }),
  });
}

/**
 * Containers of a podman pod that live in a network which is not the pod's any more: the container that
 * holds it ended. They are restarted, but only when another has to be, which would get a new one.
 */
async function staleMembers(
  context: PodmanContext,
  pod: PodInstance,
  seen: readonly Seen[],
  signal: AbortSignal | undefined,
): Promise<readonly Seen[]> {
  const running = seen.filter(({ life }) => life.alive && !life.waiting);
  if (!isPodmanPod(pod.spec.containers) || running.length === 0) return [];
  if (running.length === seen.length) return [];
  const { infra } = await findGeneration(context, pod.identity, signal);
  if (infra === undefined) return [];
  const [found] = await inspectContainers(context, [infra.Id], signal);
  if (found === undefined) return [];
  const life = (await readLives(context.host, [found], signal)).get(found.Id);
  const since = Date.parse(found.State.StartedAt);
  return running.filter(
    (each) => life?.alive !== true || Date.parse(each.found.State.StartedAt) < since,
  );
}

async function restart(
  context: PodmanContext,
  pod: PodInstance,
  stale: readonly Seen[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (stale.length === 0) return;
  const ids = stale.map(({ found }) => found.Id);
  await context.cli.change(["stop", "--time", "10", ...ids], {
    doing: `stop containers of ${describePod(pod.identity)}`,
    ...(signal === undefined ? {} : { signal }),
  });
  await start(
    context,
    pod,
    stale.map(({ name }) => name),
    signal,
  );
}
