import type { PodInstance, StartOptions } from "../../engine/index.ts";
import { dependenciesOf, startStages } from "../../model/index.ts";
import { waitCompleted } from "../health/wait-completed.ts";
import { waitHealthy } from "../health/wait-healthy.ts";
import type { HostSession } from "./host-session.ts";

/**
 * Starts containers of a generation in the order that its declaration wants: each when what it waits for is
 * started, healthy, or has ended with exit code 0. The one way in which pods are started: by an apply, by
 * watch, on the engine that a pod moves to, and on the way back. Where nothing waits for anything it is one
 * call of the engine.
 *
 * @throws StowageError when a container that others wait for does not come to it; these are not started
 */
export async function startInOrder(
  session: HostSession,
  pod: PodInstance,
  options: Pick<StartOptions, "containers" | "again" | "aside">,
): Promise<void> {
  const { engine, lock, signal } = session;
  const stages = startStages(pod.spec);
  if (stages.length < 2) return await engine.start(pod, { ...options, signal });
  const wanted = new Set(options.containers ?? Object.keys(pod.spec.containers));
  let isFirst = true;
  for (const stage of stages) {
    const containers = stage.filter((name) => wanted.has(name));
    if (containers.length === 0) continue;
    await conditionsOf(session, pod, containers, wanted);
    if (!isFirst) await lock.check();
    isFirst = false;
    await engine.start(pod, { ...options, containers, signal });
  }
}

async function conditionsOf(
  session: HostSession,
  { identity, spec }: PodInstance,
  containers: readonly string[],
  wanted: ReadonlySet<string>,
): Promise<void> {
  const awaited = containers.flatMap((name) => [...dependenciesOf(spec, name)]);
  const healthy = awaited.filter(([, is]) => is === "healthy").map(([name]) => name);
  // what is not started now has done its work before
  const completed = awaited.filter(([name, is]) => is === "completed" && wanted.has(name));
  await Promise.all([
    waitHealthy(session, identity, spec, new Set(healthy)),
    ...[...new Set(completed.map(([name]) => name))].map((name) =>
      waitCompleted(session, identity, spec, name),
    ),
  ]);
}
