import type { PodInstance } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { objectName } from "../../../model/index.ts";
import { describePod, type PodmanContext } from "../context.ts";
import { isLost, wasStarted } from "./container-state.ts";
import { changeLimits, sameLimits } from "./limit-changes.ts";
import { parseNotes } from "./notes.ts";
import { limitsOf, type PodChanges, readChanges } from "./pod-changes.ts";
import { type Seen, seeContainers } from "./see-containers.ts";

/**
 * A generation's containers after a start. One that ended between podman's word and the look at the kernel
 * is seen as lost, and is read again.
 */
export async function seeStarted(
  context: PodmanContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<readonly Seen[]> {
  const seen = await seeContainers(context, pod, signal);
  const isTold = seen.every(({ found, life }) => !isLost(found, life));
  return isTold ? seen : await seeContainers(context, pod, signal);
}

/**
 * Looks whether what podman says to have started has been, and gives it the limits that were changed
 * since it was made.
 */
export async function settleStart(
  context: PodmanContext,
  pod: PodInstance,
  seen: readonly Seen[],
  before: readonly Seen[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const lost = seen.find(({ found, life }) => isLost(found, life));
  if (lost !== undefined) throw notRun(pod, `the process of container "${lost.name}" is gone`);
  const idle = seen.find((each) => !hasRun(each, before));
  if (idle !== undefined) throw notRun(pod, `container "${idle.name}" does not`);
  const ids = Object.fromEntries(seen.map(({ name, found }) => [name, found.Id]));
  const changes = await readChanges(context, pod.identity, ids, signal);
  if (changes === undefined) return;
  await settleAll(seen.map((each) => restoreLimits(context, changes, each)));
}

/** Whether it runs, or did since it was seen before. */
function hasRun({ name, found, life }: Seen, before: readonly Seen[]): boolean {
  if (life.alive && !life.waiting) return found.State.Status !== "paused";
  const earlier = before.find((each) => each.name === name);
  if (!wasStarted(found) || found.State.Status === "initialized") return false;
  return earlier?.found.Id !== found.Id || earlier.found.State.StartedAt !== found.State.StartedAt;
}

function notRun({ identity }: PodInstance, state: string): StowageError {
  return new StowageError(
    `Cannot start ${describePod(identity)}: podman start reports success, but ${state}; check it with podman on the host, and apply again`,
    { code: "unavailable", context: { pod: identity.pod, object: objectName(identity) } },
  );
}

async function restoreLimits(
  context: PodmanContext,
  changes: PodChanges,
  { name, found, life }: Seen,
): Promise<void> {
  const made = parseNotes(found.Config.Labels)?.resources ?? {};
  const after = limitsOf(changes, name, made);
  if (!life.alive || sameLimits(made, after as typeof made)) return;
  const { cgroupPath } = life;
  await changeLimits(context, { id: found.Id, cgroupPath, before: made as typeof after, after });
}
