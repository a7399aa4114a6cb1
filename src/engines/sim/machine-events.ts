import { type EngineEvent, eventsBetween } from "../../engine/index.ts";
import type { ObservedPod } from "../../model/index.ts";
import { wallTime } from "./clock.ts";
import type { EngineCalls } from "./engine-calls.ts";
import { observeMachine } from "./observe-machine.ts";

/** What happens to the pods of one engine of a machine, from now on. */
export async function* machineEvents(
  calls: EngineCalls,
  signal: AbortSignal | undefined,
): AsyncGenerator<EngineEvent, void, undefined> {
  let seen = await calls.read("engine.events", signal, look);
  yield { kind: "listening", at: seen.at };
  for (;;) {
    const now = calls.look(look);
    const events = eventsBetween(seen.pods, now.pods, now.at);
    seen = now;
    yield* events;
    if (events.length === 0) await calls.machine.changed(signal);
  }
}

function look(
  state: Parameters<typeof observeMachine>[0],
  nowMs: number,
): { readonly pods: readonly ObservedPod[]; readonly at: string } {
  // what is seen is plain data that nothing changes any more
  const pods = observeMachine(state).pods.map(
    (pod): ObservedPod => ({ ...pod, reported: {}, containers: plain(pod.containers) }),
  );
  return { pods, at: wallTime(state, nowMs) };
}

function plain(containers: ObservedPod["containers"]): ObservedPod["containers"] {
  return Object.fromEntries(
    Object.entries(containers).map(([name, { reported: _, ...each }]) => [
      name,
      { ...each, reported: {} },
    ]),
  );
}
