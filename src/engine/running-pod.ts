import type { ObservedContainer, ObservedPod } from "../model/index.ts";
import type { PodInstance } from "./engine.ts";

/** A container whose process runs. */
export interface RunningContainer {
  /** As the adapter reports it in {@link ObservedContainer}. */
  readonly id: string;
  readonly pid: number;
}

/** A pod of which only the state is known: its processes run, as `statesOnly` asks for. */
export function runningPod(
  { identity, recordDigest, images }: Pick<PodInstance, "identity" | "recordDigest" | "images">,
  containers: ReadonlyMap<string, RunningContainer>,
): ObservedPod {
  const observed = [...containers].map(([name, { id, pid }]): [string, ObservedContainer] => {
    const { reference = "", digest } = images[name] ?? {};
    const image = { reference, ...(digest === undefined ? {} : { digest }) };
    return [name, { id, state: "running", pid, image, reported: {} }];
  });
  return {
    ...identity,
    recordDigest,
    state: "running",
    containers: Object.fromEntries(observed),
    reported: {},
  };
}
