import { STOP_DEFAULTS, type StopOptions } from "../../engine/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";
import type { EngineCalls } from "./engine-calls.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
import { detachFromNetwork } from "./networks.ts";
import { signalName } from "./process/signals.ts";
import { endContainer, signalContainer } from "./run-containers.ts";
import type { Part } from "./sim-calls.ts";

/** Ends the processes of a generation: signal, grace period, SIGKILL, all containers at once. */
export async function stopPod(
  part: Part,
  calls: EngineCalls,
  identity: PodIdentity,
  options: StopOptions,
): Promise<void> {
  const key = objectName(identity);
  const killAt = await part((state, nowMs) => {
    const pod = state.pods[key];
    if (pod === undefined) return new Map<string, number>();
    pod.stopped = true;
    return askToEnd(state, pod, options, nowMs);
  });
  while (killAt.size > 0) {
    const running = calls.look((state) => runningIn(state, key));
    for (const name of killAt.keys()) if (!running.includes(name)) killAt.delete(name);
    if (killAt.size === 0) break;
    const nextMs = Math.min(...killAt.values());
    if (calls.look((_, nowMs) => nowMs) < nextMs) await calls.machine.wait(nextMs, options.signal);
    else await part((state, nowMs) => killLate(state, key, killAt, nowMs));
  }
  await part((state) => {
    const pod = state.pods[key];
    if (pod === undefined) return;
    delete pod.tmpfs;
    detachFromNetwork(state, pod);
  });
}

function askToEnd(
  state: MachineState,
  pod: SimPod,
  options: StopOptions,
  nowMs: number,
): Map<string, number> {
  const killAt = new Map<string, number>();
  for (const [name, container] of Object.entries(pod.containers)) {
    delete container.restartAtMs;
    if (container.state === "prepared") container.state = "exited";
    if (container.state === "exited") continue;
    const asked = options.containers?.[name];
    const signal = asked?.signal ?? (container.defaults.stopSignal || STOP_DEFAULTS.signal);
    container.state = "running";
    signalContainer(state, pod, container, signalName(signal), nowMs);
    killAt.set(name, nowMs + (asked?.gracePeriodMs ?? STOP_DEFAULTS.gracePeriodMs));
  }
  return killAt;
}

function killLate(
  state: MachineState,
  key: string,
  killAt: ReadonlyMap<string, number>,
  nowMs: number,
): void {
  const pod = state.pods[key];
  if (pod === undefined) return;
  for (const [name, container] of Object.entries(pod.containers)) {
    if (isRunning(container) && (killAt.get(name) ?? Number.POSITIVE_INFINITY) <= nowMs) {
      endContainer(state, pod, container, 137, nowMs);
    }
  }
}

function runningIn(state: MachineState, key: string): readonly string[] {
  const containers = Object.entries(state.pods[key]?.containers ?? {});
  return containers.filter(([, container]) => isRunning(container)).map(([name]) => name);
}

function isRunning(container: SimContainer): boolean {
  return container.state === "running" || container.state === "paused";
}
