import type { Rollout } from "../model/index.ts";
import { compact } from "./compact.ts";
import type { Duration } from "./duration.ts";
import type { OptionNames } from "./options.ts";

/** How the pods of a service follow each other when they change. */
export interface RolloutProps {
  /**
   * Pods changed first; the others wait until they are proven, and one that fails ends the rollout.
   *
   * @defaultValue - none
   */
  readonly canary?: number;
  /**
   * Pods that may be down at once, and so the size of a wave.
   *
   * @defaultValue - all, or as many as maxSurge says
   */
  readonly maxUnavailable?: number;
  /**
   * Pods that may be there in two generations at once: the new one is started and proven before the old one
   * is stopped.
   *
   * @defaultValue - as many as maxUnavailable says, of pods that hold nothing exclusive
   */
  readonly maxSurge?: number;
  /**
   * Time between the end of a wave and the beginning of the next.
   *
   * @defaultValue - none
   */
  readonly pause?: Duration;
  /**
   * How long a changed pod must stay healthy before it counts as proven.
   *
   * @defaultValue - it counts at once
   */
  readonly healthTime?: Duration;
  /**
   * Number of failed pods after which no further pod is changed.
   *
   * @defaultValue 1
   */
  readonly abortAfter?: number;
  /**
   * What goes back when it was given up, beside the pods that failed, which always do: the pods of the last
   * wave, or all that the apply changed.
   *
   * @defaultValue none
   */
  readonly rollback?: "none" | "wave" | "all";
}

export const ROLLOUT: OptionNames<RolloutProps> = {
  canary: true,
  maxUnavailable: true,
  maxSurge: true,
  pause: true,
  healthTime: true,
  abortAfter: true,
  rollback: true,
};

/** A declaration's rollout in the model's terms. */
export function rolloutSpec(rollout: RolloutProps): Rollout {
  const { canary, maxUnavailable, maxSurge, pause, healthTime, abortAfter, rollback } = rollout;
  return compact<Rollout>({
    canary,
    maxUnavailable,
    maxSurge,
    abortAfter,
    rollback,
    pauseMs: pause?.toMilliseconds(),
    healthTimeMs: healthTime?.toMilliseconds(),
  });
}
