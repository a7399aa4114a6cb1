import type { LogLine, LogMoment, LogOptions } from "../../engine/index.ts";
import { anySignal } from "../../internal/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";
import { monotonicMs, wallTime } from "./clock.ts";
import type { EngineCalls } from "./engine-calls.ts";
import type { MachineState } from "./machine-state.ts";
import { requirePod } from "./require-pod.ts";
import { lineSince, linesFrom, nextLine } from "./sim-log.ts";

/** Lines of a pod's containers: those that are kept, then new ones if asked for. */
export async function* readLogs(
  calls: EngineCalls,
  identity: PodIdentity,
  container: string | undefined,
  options: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const { signal, ended, tail, since, follow = false } = options;
  const { names, sinceMs } = await calls.read("engine.logs", signal, (state) => {
    const pod = requirePod(state, identity, "read logs of");
    return {
      names: Object.keys(pod.containers).filter((name) => (container ?? name) === name),
      sinceMs: since === undefined ? Number.NEGATIVE_INFINITY : momentOn(state, since),
    };
  });
  const next = new Map<string, number>();
  for (let first = true; ; first = false) {
    const lines = newLines(calls, identity, {
      names,
      next,
      sinceMs,
      tail: first ? tail : undefined,
    });
    if (lines === undefined) return;
    for (const line of lines) {
      signal?.throwIfAborted();
      yield line;
    }
    if (!follow || ended?.aborted === true) return;
    if (lines.length === 0) await newsOrEnd(calls.machine, signal, ended);
  }
}

/** Waits until something may have been written, or nothing will be any more. */
async function newsOrEnd(
  machine: EngineCalls["machine"],
  signal: AbortSignal | undefined,
  ended: AbortSignal | undefined,
): Promise<void> {
  try {
    await machine.wait(undefined, anySignal([signal, ended].filter((each) => each !== undefined)));
  } catch (error) {
    signal?.throwIfAborted();
    if (ended?.aborted !== true) throw error;
  }
}

function momentOn(state: MachineState, moment: LogMoment): number {
  if ("atMs" in moment) return moment.atMs;
  return Date.parse(wallTime(state, monotonicMs(state))) - moment.agoMs;
}

/** Which lines are new, of which containers. */
interface Wanted {
  readonly names: readonly string[];
  /** By container: number of the first line that was not seen. */
  readonly next: Map<string, number>;
  readonly sinceMs: number;
  readonly tail: number | undefined;
}

function newLines(
  calls: EngineCalls,
  identity: PodIdentity,
  { names, next, sinceMs, tail }: Wanted,
): readonly LogLine[] | undefined {
  return calls.look((state) => {
    const pod = state.pods[objectName(identity)];
    if (pod === undefined) return undefined;
    return names.flatMap((container) => {
      const log = pod.containers[container]?.log;
      const end = nextLine(log);
      const newest = tail === undefined ? 0 : end - tail;
      const from = Math.max(next.get(container) ?? 0, newest, lineSince(log, sinceMs));
      next.set(container, end);
      return linesFrom(log, from).map((text) => ({ container, text }));
    });
  });
}
