import type { LogLine, LogOptions } from "../../engine/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";
import type { EngineCalls } from "./engine-calls.ts";
import { requirePod } from "./require-pod.ts";
import { linesFrom, nextLine } from "./sim-log.ts";

/** Lines of a pod's containers: those that are kept, then new ones if asked for. */
export async function* readLogs(
  calls: EngineCalls,
  identity: PodIdentity,
  container: string | undefined,
  options: LogOptions,
): AsyncGenerator<LogLine, void, undefined> {
  const { signal, tail, follow = false } = options;
  const names = await calls.read("engine.logs", signal, (state) => {
    const pod = requirePod(state, identity, "read logs of");
    return Object.keys(pod.containers).filter((name) => (container ?? name) === name);
  });
  const next = new Map<string, number>();
  for (let first = true; ; first = false) {
    const lines = newLines(calls, identity, names, next, first ? tail : undefined);
    if (lines === undefined) return;
    for (const line of lines) {
      signal?.throwIfAborted();
      yield line;
    }
    if (!follow) return;
    if (lines.length === 0) await calls.machine.wait(undefined, signal);
  }
}

function newLines(
  calls: EngineCalls,
  identity: PodIdentity,
  names: readonly string[],
  next: Map<string, number>,
  tail: number | undefined,
): readonly LogLine[] | undefined {
  return calls.look((state) => {
    const pod = state.pods[objectName(identity)];
    if (pod === undefined) return undefined;
    return names.flatMap((container) => {
      const log = pod.containers[container]?.log;
      const end = nextLine(log);
      const from = Math.max(next.get(container) ?? 0, tail === undefined ? 0 : end - tail);
      next.set(container, end);
      return linesFrom(log, from).map((text) => ({ container, text }));
    });
  });
}
