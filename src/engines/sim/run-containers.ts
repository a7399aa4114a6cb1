import { onceContainers } from "../../model/index.ts";
import { wallTime } from "./clock.ts";
import { containerContext, listenOn, logLine, startDirectory } from "./container-context.ts";
import { declaredPorts } from "./listening.ts";
import type { MachineState, SimContainer, SimPod, SimStore } from "./machine-state.ts";
import { missingSource } from "./missing-source.ts";
import { flushPartial } from "./process/redirect.ts";
import { isProgram, newProcess, runProcess, type Scripts } from "./process/run-process.ts";
import { isIgnoredByDefault, signalExitCode } from "./process/signals.ts";
import { processArgv } from "./process-argv.ts";

/** What the engine waits before it starts again what ended by itself. */
const RESTART_DELAY_MS = 1000;

interface Due {
  readonly pod: SimPod;
  readonly container: SimContainer;
  readonly atMs: number;
}

/**
 * Lets everything happen that happens by itself until a moment: processes run and end, policies start
 * them again.
 *
 * @returns whether anything did
 */
export function settle(state: MachineState, nowMs: number, scripts: Scripts): boolean {
  let happened = false;
  for (let due = nextDue(state); due !== undefined && due.atMs <= nowMs; due = nextDue(state)) {
    const { pod, container, atMs } = due;
    if (container.state === "exited") {
      container.restarts = (container.restarts ?? 0) + 1;
      // nothing runs without what it is to see; it is tried again and again
      if (missingSource(state, pod.spec) === undefined) launch(state, pod, container, atMs);
      else container.restartAtMs = atMs + RESTART_DELAY_MS;
    } else runUntil(state, pod, container, nowMs, scripts);
    happened = true;
  }
  return happened;
}

/** When something happens by itself next. */
export function nextEventMs(state: MachineState): number | undefined {
  return nextDue(state)?.atMs;
}

/** Starts a container's process at a moment. */
export function launch(
  state: MachineState,
  pod: SimPod,
  container: SimContainer,
  atMs: number,
): void {
  const argv = processArgv(container);
  container.state = "running";
  container.pid = state.nextPid++;
  for (const key of ["exitCode", "exitedAt", "restartAtMs", "process", "listens"] as const) {
    delete container[key];
  }
  const name = Object.keys(pod.containers).find((each) => pod.containers[each] === container) ?? "";
  const taken = declaredPorts(pod, name).find((key) => !listenOn(state, pod, container, key));
  if (taken !== undefined) {
    logLine(state, container, `${argv[0]}: bind ${taken}: Address already in use`, atMs);
    endContainer(state, pod, container, 1, atMs);
  } else if (isProgram(argv[0]))
    container.process = newProcess(argv, startDirectory(container), atMs);
}

/** Sends a signal to a container's first process. */
export function signalContainer(
  state: MachineState,
  pod: SimPod,
  container: SimContainer,
  signal: string,
  nowMs: number,
): void {
  if (container.state !== "running") return;
  const trap = signal === "SIGKILL" ? undefined : container.process?.traps[signal];
  if (container.process !== undefined && trap !== undefined) {
    if (trap !== "") interrupt(container.process, signal, nowMs);
  } else if (!isIgnoredByDefault(signal)) {
    endContainer(state, pod, container, signalExitCode(signal), nowMs);
  }
}

/** Ends a container's processes with an exit code, at a moment. */
export function endContainer(
  state: MachineState,
  pod: SimPod,
  container: SimContainer,
  exitCode: number | undefined,
  atMs: number,
): void {
  if (container.process !== undefined) {
    flushPartial(container.process, { print: (line) => logLine(state, container, line, atMs) });
  }
  container.state = "exited";
  container.exitedAt = wallTime(state, atMs);
  if (exitCode !== undefined) container.exitCode = exitCode;
  for (const key of ["pid", "process", "listens"] as const) delete container[key];
  if (restarts(pod, container)) container.restartAtMs = atMs + RESTART_DELAY_MS;
}

function interrupt(
  process: NonNullable<SimContainer["process"]>,
  signal: string,
  nowMs: number,
): void {
  process.pending.push(signal);
  if (!process.waiting) return;
  process.status = signalExitCode(signal);
  process.wakeAtMs = nowMs;
}

function restarts(pod: SimPod, container: SimContainer): boolean {
  const restart = pod.spec.restart;
  if (restart === undefined || pod.stopped === true || pod.runOnce === true) return false;
  if (restart.policy === "no" || onceContainers(pod.spec).length > 0) return false;
  if (restart.policy !== "on-failure") return true;
  const { exitCode, restarts: done = 0 } = container;
  return exitCode !== 0 && done < (restart.maxRetries ?? Number.POSITIVE_INFINITY);
}

function runUntil(
  state: MachineState,
  pod: SimPod,
  container: SimContainer,
  nowMs: number,
  scripts: Scripts,
): void {
  const { process } = container;
  if (process === undefined) return;
  const context = containerContext(state, pod, container, (line) =>
    logLine(state, container, line, process.wakeAtMs),
  );
  const code = runProcess(process, context, Math.min(nowMs, process.wakeAtMs), scripts);
  if (code !== undefined) endContainer(state, pod, container, code, process.wakeAtMs);
}

function nextDue(state: MachineState): Due | undefined {
  let next: Due | undefined;
  const { stores } = state;
  for (const name in stores) next = earlier(next, nextDueIn((stores[name] as SimStore).pods));
  return earlier(next, nextDueIn(state.pods));
}

function earlier(one: Due | undefined, other: Due | undefined): Due | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.atMs < one.atMs ? other : one;
}

function nextDueIn(pods: SimStore["pods"]): Due | undefined {
  let next: Due | undefined;
  // Asked at every call: no lists are made of what is mostly daemons, for which nothing is due.
  for (const key in pods) {
    const pod = pods[key] as SimPod;
    for (const name in pod.containers) {
      const container = pod.containers[name] as SimContainer;
      const atMs = dueAt(container);
      if (atMs !== undefined && (next === undefined || atMs < next.atMs)) {
        next = { pod, container, atMs };
      }
    }
  }
  return next;
}

function dueAt({ state, process, restartAtMs }: SimContainer): number | undefined {
  if (state === "running") return process?.wakeAtMs;
  return state === "exited" ? restartAtMs : undefined;
}
