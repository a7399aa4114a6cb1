import { setTimeout as sleep } from "node:timers/promises";
import { type PodIdentity, type PodSpec, probeTiming, runsOnce } from "../../model/index.ts";
import { processOf, tryContainer, unhealthy, type WaitSession } from "./wait-healthy.ts";

/** Between two looks at a container without a probe. */
const LOOK_MS = 500;
/** Failed tries of one that has no probe to say so. */
const RETRIES = 10;

/**
 * Waits while a generation that was found healthy stays so for a time: the same process runs, and its probe
 * passes. A try that fails lets the time start again; so many as its probe may miss end it.
 *
 * @throws StowageError `failed_precondition` when a container ended or became unhealthy
 */
export async function stayHealthy(
  session: WaitSession,
  identity: PodIdentity,
  spec: PodSpec,
  forMs: number,
): Promise<void> {
  const names = Object.keys(spec.containers).filter((name) => !runsOnce(spec, name));
  await Promise.all(names.map((name) => stays(session, identity, spec, { name, forMs })));
}

async function stays(
  session: WaitSession,
  identity: PodIdentity,
  spec: PodSpec,
  { name, forMs }: { readonly name: string; readonly forMs: number },
): Promise<void> {
  const container = spec.containers[name];
  if (container === undefined) return;
  const { health: probe } = container;
  const { intervalMs, retries } =
    probe === undefined ? { intervalMs: LOOK_MS, retries: RETRIES } : probeTiming(probe);
  const watched = { name, container, pod: spec };
  let since = performance.now();
  let process = await processOf(session, identity, name);
  for (let failed = 0; ; ) {
    const left = since + forMs - performance.now();
    if (left <= 0) return;
    await sleep(Math.min(intervalMs, left), undefined, { signal: session.signal });
    const now = await processOf(session, identity, name);
    const again = now !== undefined && process !== undefined && now !== process;
    const problem = again
      ? "it ended and was started again"
      : await tryContainer(session, identity, watched);
    if (problem === undefined) continue;
    failed += 1;
    if (failed >= retries) throw unhealthy(identity, name, problem, failed);
    [since, process] = [performance.now(), now];
  }
}
