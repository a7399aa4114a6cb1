import type { EngineEvent } from "../../engine/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import type { ApplyFleetRequest } from "../apply-request.ts";
import type { ChangeOutcome } from "../execute/events.ts";
import type { FleetLock } from "../images/fleet-lock.ts";
import type { RegistryProgress } from "../images/registry-waits.ts";

/** What a fleet is declared as. */
export interface Declaration {
  readonly manifest: FleetManifest;
  readonly manifestDir: string;
  readonly lockFile?: FleetLock | undefined;
}

/** Where the declaration comes from. */
export interface DeclarationSource {
  /** The declaration as it was loaded first. */
  readonly first: Declaration;
  /**
   * What is declared now, if that is something else than the last time.
   *
   * @throws StowageError when it cannot be loaded; once, until it changes again
   */
  changed(): Promise<Declaration | undefined>;
}

/** The clock that a watch goes by. */
export interface WatchClock {
  /** Monotonic, ms. */
  now(): number;
  /** Ends early, without an error, when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The times of a watch, ms. */
export interface WatchTimes {
  /** Between two looks at an engine that tells of nothing. */
  readonly intervalMs: number;
  /** Between two full plans, whatever events say. */
  readonly fullIntervalMs: number;
  /** The longest pause between two starts of one pod. */
  readonly maxPauseMs: number;
  /** Between two tries of a probe that passes, at least. */
  readonly probeIntervalMs: number;
}

/** What to watch, and how. */
export interface WatchRequest
  extends Pick<
    ApplyFleetRequest,
    | "connector"
    | "registries"
    | "environment"
    | "options"
    | "parallelism"
    | "appliedBy"
    | "lockLifeMs"
    | "allowRemovals"
  > {
  readonly source: DeclarationSource;
  /** `mend`: all that a plan would do is done; `report`: only what restart policies want. */
  readonly drift: "mend" | "report";
  /** One look, and what follows from it. */
  readonly once: boolean;
  readonly times: WatchTimes;
  /** Lets running steps end and begins no more. */
  readonly drain: AbortSignal;
  /** Ends running steps. */
  readonly abort: AbortSignal;
  readonly onEvent: (event: WatchEvent) => void;
  /** @defaultValue that of this machine */
  readonly clock?: WatchClock;
  /** Between 0 and 1; for the jitter. @defaultValue Math.random */
  readonly random?: () => number;
}

/** How a watch ended. `drift`: what a plan would do is not all done; only with `once`. */
export type WatchEnd = "done" | "failed" | "drift";

/** Something that a plan would do and watch does not. */
export interface Pending {
  /** The change's. */
  readonly id: string;
  readonly action: string;
  readonly reason: string;
}

/** A paused rollout, and how many changes wait for it to go on. */
export interface PausedRollout {
  readonly service: string;
  /** Since when and by whom: `paused since … by …`. */
  readonly state: string;
  readonly waits: number;
}

/** What happens while a fleet is watched. */
export type WatchEvent =
  | { readonly type: "watching"; readonly fleet: string; readonly hosts: readonly string[] }
  /** From now on the host's engine is heard, or polled. */
  | {
      readonly type: "listening";
      readonly host: string;
      readonly by: "events" | "interval";
      /** Whether the engine starts pods again by itself. */
      readonly restarts: boolean;
    }
  | { readonly type: "deaf"; readonly host: string; readonly reason: string }
  | { readonly type: "heard"; readonly host: string; readonly event: EngineEvent }
  | {
      readonly type: "pass";
      readonly kind: "restarts" | "full";
      readonly ms: number;
      /** Pods of the fleet by host and state. */
      readonly pods: Readonly<Record<string, Readonly<Record<string, number>>>>;
    }
  | { readonly type: "unreachable"; readonly host: string; readonly reason: string }
  | { readonly type: "reachable"; readonly host: string }
  /** What ended and stays so. */
  | { readonly type: "left"; readonly id: string; readonly reason: string }
  /** All that a whole plan would do and watch does not; told when it is another than before. */
  | {
      readonly type: "pending";
      readonly changes: readonly Pending[];
      /** Rollouts that changes of these wait for. */
      readonly paused?: readonly PausedRollout[];
    }
  | { readonly type: "changed"; readonly outcome: ChangeOutcome; readonly isRestart: boolean }
  /** A probe failed as often in a row as it may; `restarts`: the pod is to be ended for a new start. */
  | {
      readonly type: "unhealthy";
      readonly id: string;
      readonly container: string;
      readonly reason: string;
      readonly tries: number;
      readonly restarts: boolean;
    }
  /** What was unhealthy passes again, or its process is gone. */
  | {
      readonly type: "recovered";
      readonly id: string;
      readonly container: string;
      readonly how: "passes" | "ended";
    }
  /** The probes of a host are not asked. */
  | { readonly type: "unasked"; readonly host: string; readonly reason: string }
  /** A pod is not tried again before that. */
  | {
      readonly type: "backing-off";
      readonly id: string;
      readonly pauseMs: number;
      readonly tries: number;
    }
  /** A registry is long in answering; a whole plan waits for it, and nothing that is to be started again. */
  | RegistryProgress
  | { readonly type: "locked"; readonly reason: string }
  | { readonly type: "failed"; readonly reason: string }
  /** Another one is followed from now on: of these hosts, with so many pods. */
  | { readonly type: "declaration"; readonly pods: number; readonly hosts: readonly string[] }
  | { readonly type: "declaration-broken"; readonly reason: string }
  | { readonly type: "stopping" };
