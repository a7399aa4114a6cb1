import { setTimeout as sleep } from "node:timers/promises";
import type { RolloutPause, RolloutPlan, RolloutWave } from "../../plan/index.ts";
import type { ChangeOutcome } from "./events.ts";
import type { PauseWatch } from "./pause-watch.ts";

/** Which of a rollout's changes are undone, and what had failed. */
export interface GivenUp {
  readonly reason: string;
  /** Ids of the changes, in the waves in which they were made. */
  readonly waves: readonly RolloutWave[];
}

/** Whether the changes of one service's rollout go on: between its waves, after a failure, and while it is paused. */
export class RolloutGate {
  readonly rollout: RolloutPlan;
  readonly #waveOf: ReadonlyMap<string, number>;
  /** When the wait before a wave began. */
  readonly #waitsSince = new Map<number, number>();
  readonly #looks = new Map<number, Promise<void>>();
  readonly #failed: string[] = [];
  /** Failed and not gone back: they may be down. */
  #down = 0;
  #givenUp: { readonly reason: string; readonly wave: number } | undefined;
  readonly #pauses: PauseWatch | undefined;

  /** @param pauses absent: the rollout continues whatever hosts say of it */
  constructor(rollout: RolloutPlan, pauses?: PauseWatch) {
    this.rollout = rollout;
    this.#pauses = pauses;
    this.#waveOf = new Map(
      rollout.waves.flatMap(({ changes }, index) => changes.map((id) => [id, index] as const)),
    );
  }

  get changes(): Iterable<string> {
    return this.#waveOf.keys();
  }

  /** Why no further change is begun. */
  get refusal(): string | undefined {
    return this.#givenUp?.reason;
  }

  /** Waits until the wave of a change may begin; the one before it has ended. */
  async begin(id: string, signal: AbortSignal): Promise<void> {
    if (this.refusal !== undefined || this.holds(id) !== undefined) return;
    const wave = this.#waveOf.get(id) ?? 0;
    await this.#waitBefore(wave, signal);
    // whoever is ended while it waits finds that out by itself
    if (signal.aborted) return;
    const looks = this.#looks.get(wave) ?? this.#look(wave);
    this.#looks.set(wave, looks);
    await looks;
  }

  /** The pause that a change waits for the end of. */
  holds(id: string): RolloutPause | undefined {
    return this.#pauses?.holds(id);
  }

  /** Each by itself: one that is ended meanwhile lets nobody else begin before the time. */
  async #waitBefore(wave: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const since = this.#waitsSince.get(wave) ?? now;
    this.#waitsSince.set(wave, since);
    const pauseMs = wave === 0 ? 0 : (this.rollout.policy.pauseMs ?? 0);
    const leftMs = since + pauseMs - now;
    if (leftMs > 0) await sleep(leftMs, undefined, { signal }).catch(() => undefined);
  }

  async #look(wave: number): Promise<void> {
    await this.#pauses?.look(this.rollout.waves[wave]?.changes ?? []);
  }

  /** Takes note of what came of a change. */
  note({ id, status }: ChangeOutcome): void {
    const wave = this.#waveOf.get(id);
    if (wave === undefined || status === "done" || status === "not-run") return;
    if (this.#givenUp !== undefined && status === "skipped") return;
    this.#failed.push(id);
    if (status === "failed") this.#down += 1;
    const why = this.#whyGivenUp(wave);
    if (why !== undefined)
      this.#givenUp ??= {
        wave,
        reason: `the rollout of ${this.rollout.service} was given up: ${why}`,
      };
  }

  /** What is to go back, now that all changes have ended; undefined where nothing is. */
  takenBack(): GivenUp | undefined {
    const { policy, waves } = this.rollout;
    const { rollback = "none" } = policy;
    if (this.#givenUp === undefined || rollback === "none") return undefined;
    const { reason, wave } = this.#givenUp;
    return {
      reason,
      waves: rollback === "all" ? waves.slice(0, wave + 1).reverse() : waves.slice(wave, wave + 1),
    };
  }

  #whyGivenUp(wave: number): string | undefined {
    const { policy, waves } = this.rollout;
    const names = this.#failed.slice(0, 3).join(", ");
    const more = this.#failed.length > 3 ? ` and ${this.#failed.length - 3} more` : "";
    const failed = `${names}${more} failed`;
    if (waves[wave]?.kind === "canary") return `its canary ${failed}`;
    if (this.#failed.length >= (policy.abortAfter ?? 1)) return failed;
    const { maxUnavailable } = policy;
    return maxUnavailable !== undefined && this.#down >= maxUnavailable
      ? `${failed}, and no more of its pods can be down at once`
      : undefined;
  }
}
