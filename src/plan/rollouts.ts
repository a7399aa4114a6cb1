import type { Rollout } from "../model/index.ts";
import type { Action, PodChange, RolloutPause, RolloutPlan, RolloutWave, Step } from "./plan.ts";
import type { PodContext } from "./pod-context.ts";
import { mayRun, podsOf } from "./pod-context.ts";

type Contexts = ReadonlyMap<string, PodContext>;

/** What brings a pod nearer to what is declared; the rest keeps Stowage's own house. */
const ADVANCES: ReadonlySet<Action> = new Set([
  "create",
  "start",
  "update",
  "restart",
  "replace",
  "move-engine",
  "adopt",
]);

/** Whether a change counts in a rollout. */
export function advances({ action }: PodChange): boolean {
  return ADVANCES.has(action);
}

/**
 * Whether a change of a rollout has to wait while that is paused: it brings what is declared now. What was
 * applied already is repaired, and one that was interrupted where the old one does not run any more is completed.
 */
export function waitsWhilePaused(change: PodChange): boolean {
  const { action, reasons, interrupts } = change;
  if (!advances(change) || (action === "adopt" && !interrupts)) return false;
  return reasons.some(({ kind }) => kind === "declared");
}

/** What makes a new generation beside one that runs. */
const TWICE: ReadonlySet<Action> = new Set(["replace", "move-engine", "adopt"]);

/**
 * The rollouts of services, in waves: what a killed one has done already is not in them any more. In one that
 * is paused those that repair something come first, and nothing that waits holds them up.
 */
export function planRollouts(
  changes: readonly PodChange[],
  contexts: Contexts,
  pauses: ReadonlyMap<string, RolloutPause>,
): readonly RolloutPlan[] {
  const services = new Map<string, { changes: PodChange[]; done: number; policy: Rollout }>();
  const byId = new Map(changes.map((change) => [change.id, change]));
  for (const [id, { desired }] of contexts) {
    const { service = "", rollout } = desired?.spec ?? {};
    // one that is paused stays so when its waves are not declared any more
    const policy = rollout ?? (pauses.has(service) ? {} : undefined);
    if (policy === undefined) continue;
    const entry = services.get(service) ?? { changes: [], done: 0, policy };
    services.set(service, entry);
    const change = byId.get(id);
    if (change !== undefined && advances(change)) entry.changes.push(change);
    else entry.done += 1;
  }
  return [...services].flatMap(([service, { changes: own, done, policy }]) => {
    if (own.length === 0) return [];
    const pause = pauses.get(service);
    const isHeld = (change: PodChange) => pause !== undefined && waitsWhilePaused(change);
    const held = own.filter(isHeld);
    const mended = own.filter((change) => !isHeld(change));
    const waves = [
      ...wavesOf(mended, policy, done, contexts),
      ...wavesOf(held, policy, done + mended.length, contexts),
    ];
    const waits = held.map(({ id }) => id).sort();
    const paused = pause === undefined ? {} : { paused: { ...pause, waits } };
    return [{ service, policy, waves, done, ...paused }];
  });
}

/** Canaries that are left to be proven come first; pods that are down already come before those that run. */
function wavesOf(
  changes: readonly PodChange[],
  policy: Rollout,
  done: number,
  contexts: Contexts,
): readonly RolloutWave[] {
  const ids = [...changes].sort((a, b) => (a.id < b.id ? -1 : 1));
  const isDown = (change: PodChange) => !runsNow(contexts.get(change.id));
  const sorted = [...ids.filter(isDown), ...ids.filter((change) => !isDown(change))];
  const canaries = Math.min(sorted.length, Math.max(0, (policy.canary ?? 0) - done));
  return [
    ...fill("canary", sorted.slice(0, canaries), policy, contexts),
    ...fill("wave", sorted.slice(canaries), policy, contexts),
  ];
}

function fill(
  kind: RolloutWave["kind"],
  changes: readonly PodChange[],
  policy: Rollout,
  contexts: Contexts,
): readonly RolloutWave[] {
  const waves: { kind: RolloutWave["kind"]; changes: string[] }[] = [];
  const room = { down: 0, surge: 0 };
  for (const change of changes) {
    const place = hasRoomOf(change, policy, contexts);
    if (waves.length === 0 || room[place] === 0) {
      waves.push({ kind, changes: [] });
      room.down = policy.maxUnavailable ?? policy.maxSurge ?? Number.POSITIVE_INFINITY;
      room.surge = policy.maxSurge ?? 0;
    }
    room[place] -= 1;
    waves.at(-1)?.changes.push(change.id);
  }
  return waves;
}

/** Whether a change takes from the pods that may be down, or from those that may be there twice. */
function hasRoomOf(change: PodChange, policy: Rollout, contexts: Contexts): "down" | "surge" {
  if (policy.maxSurge === undefined || change.interrupts || !TWICE.has(change.action))
    return "down";
  return runsNow(contexts.get(change.id)) ? "surge" : "down";
}

function runsNow(context: PodContext | undefined): boolean {
  return context !== undefined && podsOf(context).some(mayRun);
}

/** What each change of a rollout follows: all of the wave before its own. */
export function waveBefore(
  rollouts: readonly RolloutPlan[],
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    rollouts.flatMap(({ waves }) =>
      waves
        .slice(1)
        .flatMap(({ changes }, index) =>
          changes.map((id) => [id, waves[index]?.changes ?? []] as const),
        ),
    ),
  );
}

/** Changes of services with the time that their pods have to stay healthy. */
export function withHealthTime(
  changes: readonly PodChange[],
  contexts: Contexts,
): readonly PodChange[] {
  return changes.map((change) => {
    const spec = contexts.get(change.id)?.desired?.spec;
    const forMs = spec?.service === undefined ? 0 : (spec.rollout?.healthTimeMs ?? 0);
    if (forMs === 0) return change;
    const steps = change.steps.map(
      (step): Step => (step.kind === "wait-healthy" ? { ...step, forMs } : step),
    );
    return { ...change, steps };
  });
}
