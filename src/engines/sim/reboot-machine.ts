import { monotonicMs, resetClock } from "./clock.ts";
import { podsOfMachine } from "./engine-view.ts";
import { removeBelow } from "./machine-files.ts";
import type { MachineState, SimContainer } from "./machine-state.ts";
import { endContainer } from "./run-containers.ts";

/** Ends everything that runs, empties what a boot empties, and begins a new boot. */
export function rebootMachine(state: MachineState, nowMs: number, bootId: string): void {
  for (const pod of podsOfMachine(state)) {
    for (const container of Object.values(pod.containers)) {
      // What a power cut ended has no exit code.
      if (isRunning(container)) endContainer(state, pod, container, undefined, nowMs);
    }
    delete pod.tmpfs;
    delete pod.network;
  }
  removeBelow(state, "/run", false);
  state.listeners = [];
  state.bootId = bootId;
  resetClock(state);
  for (const pod of podsOfMachine(state)) {
    for (const container of Object.values(pod.containers)) {
      if (container.restartAtMs !== undefined) container.restartAtMs = monotonicMs(state);
    }
  }
}

function isRunning({ state }: SimContainer): boolean {
  return state === "running" || state === "paused";
}
