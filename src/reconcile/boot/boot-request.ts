import type { HostSpec } from "../../model/index.ts";
import type { Connector } from "../connector.ts";
import type { ChangeOutcome } from "../execute/events.ts";

/** What to bring back, and where. */
export interface BootRequest {
  readonly connector: Connector;
  readonly owner: string;
  readonly fleet: string;
  /** Name that the host has in the fleet. */
  readonly host: string;
  /** The host as its roster names it; which pods it has is said by its records. */
  readonly spec: Omit<HostSpec, "pods">;
  /** Who starts them, for people. */
  readonly appliedBy: string;
  /** How long to wait for an engine that does not answer yet, a lock, and starts that fail. */
  readonly patienceMs: number;
  /** Between two tries. @defaultValue 3000 */
  readonly pauseMs?: number;
  /** Lets running steps end and begins no more. */
  readonly drain: AbortSignal;
  /** Ends running steps. */
  readonly abort: AbortSignal;
  readonly onEvent: (event: BootEvent) => void;
}

/** What happens while pods are brought back. */
export type BootEvent =
  | { readonly type: "started"; readonly outcome: ChangeOutcome }
  /** It is not started, and by whom it will be. */
  | { readonly type: "waits"; readonly id: string; readonly reason: string }
  | { readonly type: "left"; readonly id: string; readonly reason: string }
  /** It is tried again. */
  | { readonly type: "not-yet"; readonly reason: string };
