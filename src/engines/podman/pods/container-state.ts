import type { ContainerState } from "../../../model/index.ts";
import type { InspectedContainer } from "../cli/answers.ts";
import { isNever } from "./forgotten.ts";
import type { Life } from "./life.ts";

/**
 * State of a container by what podman says and what is so. podman keeps calling `running` what died
 * with its watcher, and after a reboot makes up how a container ended.
 */
export function containerState({ State }: InspectedContainer, life: Life): ContainerState {
  if (life.orphan !== undefined) return "running";
  switch (State.Status) {
    case "created":
      // never begun, or lost by a reboot: 4.3 calls that created again
      return "exited";
    case "initialized":
    case "configured":
      if (!life.alive) return "exited";
      // a start that was killed late leaves the process running and the state behind
      return life.waiting ? "prepared" : "running";
    case "running":
    case "stopping":
      return livingState(life, "running");
    case "paused":
      return livingState(life, "paused");
    case "exited":
    case "stopped":
      return "exited";
    case "removing":
      return "missing";
    default:
      return "unknown";
  }
}

function livingState(life: Life, state: ContainerState): ContainerState {
  if (life.alive) return state;
  // its watcher will say in a moment how it ended; without one nobody ever will
  return life.watched ? "unknown" : "exited";
}

/** Whether podman believes of a dead container that it lives: nothing but making it again helps. */
export function isLost({ State }: InspectedContainer, life: Life): boolean {
  const claimed = ["running", "paused", "stopping"].includes(State.Status);
  return claimed && !life.alive && !life.watched;
}

/** Whether the state was left behind by what was done: podman cannot start or stop it any more. */
export function isPoisoned({ State }: InspectedContainer, life: Life): boolean {
  return State.Status === "initialized" && !(life.alive && life.waiting);
}

/** Whether a process of it was ever begun. */
export function wasStarted({ State }: InspectedContainer): boolean {
  return !isNever(State.StartedAt);
}

/** How and when a container ended; nothing where podman does not know. */
export function endOf({ State }: InspectedContainer): { exitCode?: number; exitedAt?: string } {
  const { Status, ExitCode, StartedAt, FinishedAt } = State;
  if (Status !== "exited" && Status !== "stopped") return {};
  if (isNever(StartedAt) || isNever(FinishedAt)) return {};
  const exitedAt = new Date(FinishedAt);
  return {
    ...(ExitCode < 0 ? {} : { exitCode: ExitCode }),
    ...(Number.isNaN(exitedAt.getTime()) ? {} : { exitedAt: exitedAt.toISOString() }),
  };
}
