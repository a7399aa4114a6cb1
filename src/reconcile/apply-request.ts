import { anySignal } from "../internal/index.ts";
import type { Roster } from "../model/index.ts";
import type { Plan } from "../plan/index.ts";
import type { Connector } from "./connector.ts";
import type { ApplyEvent } from "./execute/events.ts";
import type { FleetObservation } from "./observe/observe-fleet.ts";
import type { PlanFleetRequest } from "./plan-fleet.ts";

/**
 * What fails for its configuration mostly does so within this; each apply that starts a pod takes so much longer,
 * once.
 */
export const SETTLE_MS = 400;

/** What to apply, and how. */
export interface ApplyFleetRequest extends Omit<PlanFleetRequest, "onProgress" | "connector"> {
  readonly connector: Connector;
  /** Made earlier; refused when a host has moved on since. */
  readonly savedPlan?: Plan | undefined;
  /** Leaves out changes of a plan that are not to be made now. */
  readonly narrow?: ((plan: Plan, observation: FleetObservation) => Plan) | undefined;
  /** Asked once, with the plan, before anything is touched; not when there is nothing to do. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
  /** Who applies: `user@machine`. */
  readonly appliedBy: string;
  /**
   * What the user ran, as the hosts' audit files name it.
   *
   * @defaultValue apply
   */
  readonly command?: string | undefined;
  /** @defaultValue cli */
  readonly manager?: Roster["manager"] | undefined;
  /** How long to wait for a host's lock. */
  readonly lockTimeoutMs: number;
  readonly lockLifeMs?: number | undefined;
  /** Running pods that may be removed although they are more than half. */
  readonly allowRemovals?: number | undefined;
  /**
   * How long a container without a probe has to run before it counts as started.
   *
   * @defaultValue SETTLE_MS
   */
  readonly settleMs?: number | undefined;
  readonly onEvent: (event: ApplyEvent) => void;
  /** Lets running steps end and begins no more (first Ctrl-C). */
  readonly draining?: AbortSignal | undefined;
}

/** What ends the looking before anything is changed. */
export function lookingSignal({
  signal,
  draining,
}: Pick<ApplyFleetRequest, "signal" | "draining">): AbortSignal {
  return anySignal([signal, draining].filter((each) => each !== undefined));
}
