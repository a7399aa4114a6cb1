import { anySignal } from "../../internal/index.ts";
import {
  type HostChange,
  type Plan,
  type PodChange,
  pauseWords,
  type RolloutPlan,
  type RolloutWave,
} from "../../plan/index.ts";
import type { ChangeOutcome } from "./events.ts";
import type { HostSession } from "./host-session.ts";
import { PauseWatch, type PauseWatchRequest } from "./pause-watch.ts";
import type { RunHooks } from "./pod-run.ts";
import { type GivenUp, RolloutGate } from "./rollout-gate.ts";
import { takeBack } from "./take-back.ts";

type Results = ReadonlyMap<string, Promise<ChangeOutcome>>;
type Limited = (session: HostSession, task: () => Promise<ChangeOutcome>) => Promise<ChangeOutcome>;

/** A plan that is run, and where. */
export interface RolloutsRequest extends RunHooks {
  readonly plan: Plan;
  readonly sessions: ReadonlyMap<string, HostSession>;
  /** See {@link PauseWatchRequest.marks}. */
  readonly marks: PauseWatchRequest["marks"];
  /** Rollouts go on though they are paused. */
  readonly despitePauses?: boolean | undefined;
}

/** Why a change is not begun, and what lets it go on. */
export interface Held {
  readonly reason: string;
  readonly remedy: string;
}

/** The rollouts of a plan while it is run. */
export class Rollouts {
  readonly #request: RolloutsRequest;
  readonly #gates: readonly RolloutGate[];
  readonly #byChange: ReadonlyMap<string, RolloutGate>;

  constructor(request: RolloutsRequest) {
    this.#request = request;
    const pausesOf = (rollout: RolloutPlan) =>
      request.despitePauses === true ? undefined : new PauseWatch({ ...request, rollout });
    this.#gates = (request.plan.rollouts ?? []).map(
      (rollout) => new RolloutGate(rollout, pausesOf(rollout)),
    );
    this.#byChange = new Map(
      this.#gates.flatMap((gate) => [...gate.changes].map((id) => [id, gate] as const)),
    );
  }

  /**
   * Waits until a change may begin; the wave before its own has ended.
   *
   * @returns why it may not
   */
  async enter(id: string, signal: AbortSignal): Promise<string | undefined> {
    const ending = anySignal([this.#request.draining, signal]);
    await this.#byChange.get(id)?.begin(id, ending);
    return this.refusal(id);
  }

  /** Why a change that may begin now waits all the same: its rollout is paused. */
  held(id: string): Held | undefined {
    const gate = this.#byChange.get(id);
    const pause = gate?.holds(id);
    if (gate === undefined || pause === undefined) return undefined;
    const { service } = gate.rollout;
    return {
      reason: `the rollout of ${service} is ${pauseWords(pause)}`,
      remedy: `stowage rollout resume ${service}, then apply again`,
    };
  }

  /** Why a change may not be begun any more. */
  refusal(id: string): string | undefined {
    return this.#byChange.get(id)?.refusal;
  }

  note(outcome: ChangeOutcome): void {
    this.#byChange.get(outcome.id)?.note(outcome);
  }

  /** Why an image is not released: pods of the host go back to it, or may. */
  async mayGoBack(
    { action, host }: HostChange,
    results: Results,
  ): Promise<{ readonly status: "skipped"; readonly reason: string } | undefined> {
    if (action !== "release") return undefined;
    for (const gate of this.#gates) {
      const { policy, service } = gate.rollout;
      const isOnHost = [...gate.changes].some((id) => id.startsWith(`${host}/`));
      if (!isOnHost || (policy.rollback ?? "none") === "none") continue;
      await ended(gate, results);
      if (gate.refusal === undefined) continue;
      return { status: "skipped", reason: `pods of ${service} that go back run it` };
    }
    return undefined;
  }

  /** When a rollout that was given up has ended, takes back what is to be; tells what came of these changes. */
  async takeBack(results: Results, limited: Limited): Promise<ReadonlyMap<string, ChangeOutcome>> {
    const back = await Promise.all(
      this.#gates.map(async (gate) => {
        const outcomes = await ended(gate, results);
        const givenUp = gate.takenBack();
        return givenUp === undefined ? [] : await this.#takeWaves(givenUp, outcomes, limited);
      }),
    );
    return new Map(back.flat().map((outcome) => [outcome.id, outcome]));
  }

  /** The last wave first, each in its own size: no more pods are down than were on the way there. */
  async #takeWaves(
    { reason, waves }: GivenUp,
    outcomes: ReadonlyMap<string, ChangeOutcome>,
    limited: Limited,
  ): Promise<readonly ChangeOutcome[]> {
    const back: ChangeOutcome[] = [];
    for (const wave of waves) {
      const changes = doneIn(wave, outcomes, this.#request.plan.pods);
      back.push(
        ...(await Promise.all(
          changes.map(async ({ change, outcome }) => {
            const session = this.#request.sessions.get(change.host) as HostSession;
            const made = await limited(session, () =>
              takeBack(change, outcome, session, { ...this.#request, why: reason }),
            );
            // what stays was reported
            if (made.status !== "done")
              this.#request.onEvent({ type: "change-done", id: change.id, outcome: made });
            return made;
          }),
        )),
      );
    }
    return back;
  }
}

function doneIn(
  { changes }: RolloutWave,
  outcomes: ReadonlyMap<string, ChangeOutcome>,
  pods: readonly PodChange[],
): readonly { readonly change: PodChange; readonly outcome: ChangeOutcome }[] {
  const ids = new Set(changes);
  return pods.flatMap((change) => {
    const outcome = ids.has(change.id) ? outcomes.get(change.id) : undefined;
    return outcome?.status === "done" ? [{ change, outcome }] : [];
  });
}

/** What came of all changes of a rollout. */
async function ended(
  gate: RolloutGate,
  results: Results,
): Promise<ReadonlyMap<string, ChangeOutcome>> {
  const outcomes = await Promise.all([...gate.changes].flatMap((id) => results.get(id) ?? []));
  return new Map(outcomes.map((outcome) => [outcome.id, outcome]));
}
