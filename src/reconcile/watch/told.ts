import { type ObservedPod, stateWithoutCompleted } from "../../model/index.ts";
import { type Plan, pauseWords, podsOnHost } from "../../plan/index.ts";
import type { ChangeOutcome } from "../execute/events.ts";
import type { Look } from "./look.ts";
import type { WakeKind } from "./wakes.ts";
import type { Declaration, PausedRollout, Pending, WatchEvent } from "./watch-request.ts";

/** Reports the results of passes; what stays the same is reported once. */
export class Told {
  readonly #tell: (event: WatchEvent) => void;
  readonly #unreachable = new Map<string, string>();
  #left = new Map<string, string>();
  #pending = "";
  #locked = "";

  constructor(tell: (event: WatchEvent) => void) {
    this.#tell = tell;
  }

  /** What was seen, before anything follows from it. */
  seen(look: Look): void {
    this.#hosts(look);
    const left = new Map(
      look.restarts.left.map(({ id, container, reason }) => [`${id}/${container}`, reason]),
    );
    for (const [id, reason] of left) {
      if (this.#left.get(id) !== reason) this.#tell({ type: "left", id, reason });
    }
    this.#left = left;
  }

  /** A look that completed; of a whole one its plan was made. */
  look(look: Look, { manifest }: Declaration, kind: WakeKind, ms: number): void {
    const pods: Record<string, Record<string, number>> = {};
    for (const [host, found] of look.observation.hosts) {
      if (found.kind === "unreachable") continue;
      const own = podsOnHost(found).filter(({ pod }) => isOf(pod, manifest.id, manifest.name));
      const states: Record<string, number> = {};
      const declared = manifest.hosts[host]?.pods;
      for (const { pod } of own) {
        const state = stateWithoutCompleted(pod, declared?.[pod.pod]);
        states[state] = (states[state] ?? 0) + 1;
      }
      pods[host] = states;
    }
    this.#tell({ type: "pass", kind, ms, pods });
  }

  /** What of a whole plan was not done. @returns whether there is any */
  pending({ plan }: Look, outcomes: readonly ChangeOutcome[]): boolean {
    if (plan === undefined) return false;
    const done = new Set(outcomes.filter(({ status }) => status === "done").map(({ id }) => id));
    const waits = pausesByChange(plan);
    const changes: Pending[] = [
      ...plan.hostChanges.map(({ id, action, text }) => ({ id, action, reason: text })),
      ...plan.pods.map(({ id, action, reasons }) => ({
        id,
        action,
        reason: waits.get(id) ?? reasonOf(reasons),
      })),
    ].filter(({ id }) => !done.has(id));
    const key = JSON.stringify(changes.map(({ id, action }) => [id, action, waits.get(id)]));
    if (key !== this.#pending && (changes.length > 0 || this.#pending !== "")) {
      const paused = pausedRollouts(plan);
      this.#tell({ type: "pending", changes, ...(paused.length === 0 ? {} : { paused }) });
    }
    this.#pending = key;
    return changes.length > 0;
  }

  locked(reason: string): void {
    if (reason !== this.#locked) this.#tell({ type: "locked", reason });
    this.#locked = reason;
  }

  unlocked(): void {
    this.#locked = "";
  }

  #hosts({ observation }: Look): void {
    for (const [host, found] of observation.hosts) {
      if (found.kind === "unreachable") {
        if (this.#unreachable.get(host) !== found.reason)
          this.#tell({ type: "unreachable", host, reason: found.reason });
        this.#unreachable.set(host, found.reason);
      } else if (this.#unreachable.delete(host)) this.#tell({ type: "reachable", host });
    }
  }
}

function pausedRollouts({ rollouts = [] }: Plan): readonly PausedRollout[] {
  return rollouts.flatMap(({ service, paused }) =>
    paused === undefined || paused.waits.length === 0
      ? []
      : [{ service, state: pauseWords(paused), waits: paused.waits.length }],
  );
}

/** Why changes wait, by their ids. */
function pausesByChange({ rollouts = [] }: Plan): ReadonlyMap<string, string> {
  return new Map(
    rollouts.flatMap(({ service, paused }) =>
      (paused?.waits ?? []).map((id) => {
        const pause = paused === undefined ? "" : pauseWords(paused);
        return [id, `it waits: the rollout of ${service} is ${pause}`] as const;
      }),
    ),
  );
}

function reasonOf(reasons: readonly { readonly path: string; readonly text?: string }[]): string {
  const [first, ...more] = reasons;
  if (first === undefined) return "";
  const what = [first.path, first.text ?? "differs"].filter((each) => each !== "").join(": ");
  return more.length === 0 ? what : `${what}, and ${more.length} more`;
}

function isOf({ owner, fleet }: ObservedPod, id: string, name: string): boolean {
  return owner === id && fleet === name;
}
