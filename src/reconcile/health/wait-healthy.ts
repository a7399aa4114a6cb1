import { setTimeout as sleep } from "node:timers/promises";
import { StowageError } from "../../errors/index.ts";
import {
  type ContainerSpec,
  isNetworked,
  type ObservedPod,
  type PodIdentity,
  type PodSpec,
  type Probe,
  probeTiming,
  restartSupport,
  runsOnce,
} from "../../model/index.ts";
import type { HostSession } from "../execute/host-session.ts";
import { agesOfAll } from "./process-ages.ts";
import { runProbe } from "./run-probe.ts";

/** How old what is known of processes may be while a probe runs. */
const STATE_AGE_MS = 500;
/** First of the quick tries before a probe's own interval begins to count. */
const FIRST_PAUSE_MS = 20;
/** For a container without a probe whose engine starts it again when it ends. */
const UNPROBED = { intervalMs: 1000, retries: 10 };
/** The kernel counts starts in hundredths of a second. */
const AGE_ERROR_MS = 20;

/** What waiting for a pod needs of its host. */
export type WaitSession = Pick<HostSession, "engine" | "host" | "signal" | "feed" | "probe"> & {
  readonly observation: Pick<HostSession["observation"], "capabilities">;
  readonly context: Pick<HostSession["context"], "settleMs">;
};

/**
 * Waits until a generation does its work: its processes run, and every probe passes.
 *
 * A container without a probe is started when its process has run for the settle time, and not another one
 * before it; one that runs to its end is not waited for. Failed tries count from the
 * end of the start period on; within the first interval it is tried more often, which does not count.
 *
 * @param only these containers; absent: all of them
 * @throws StowageError `failed_precondition` when a container ended or stayed unhealthy
 */
export async function waitHealthy(
  session: WaitSession,
  identity: PodIdentity,
  spec: PodSpec,
  only?: ReadonlySet<string>,
): Promise<void> {
  const awaited = Object.entries(spec.containers).filter(
    ([name]) => only?.has(name) ?? !runsOnce(spec, name),
  );
  await Promise.all(
    awaited.map(([name, container]) =>
      waitForContainer(session, identity, { name, container, pod: spec }),
    ),
  );
}

/** A container that is waited for. */
export interface Watched {
  readonly name: string;
  readonly container: ContainerSpec;
  readonly pod: PodSpec;
}

async function waitForContainer(
  session: WaitSession,
  identity: PodIdentity,
  watched: Watched,
): Promise<void> {
  const probe = watched.container.health;
  if (probe === undefined) return await waitSettled(session, identity, watched);
  const { intervalMs, retries, startPeriodMs } = probeTiming(probe);
  const beganAt = performance.now();
  let failed = 0;
  let pauseMs = Math.min(FIRST_PAUSE_MS, intervalMs);
  for (;;) {
    // what was seen before the start says nothing of it
    const stateAgeMs = Math.min(STATE_AGE_MS, performance.now() - beganAt);
    const problem = await tryOnce(session, identity, { ...watched, probe }, stateAgeMs);
    if (problem === undefined) return;
    const tookMs = performance.now() - beganAt;
    if (tookMs >= intervalMs) pauseMs = intervalMs;
    if (tookMs >= startPeriodMs && pauseMs >= intervalMs) failed += 1;
    if (failed >= retries) throw unhealthy(identity, watched.name, problem, failed);
    await sleep(pauseMs, undefined, { signal: session.signal });
    pauseMs = Math.min(pauseMs * 2, intervalMs);
  }
}

/** How long before its start was done a process of an engine ran, ms, as it was seen last. */
const headStarts = new WeakMap<WaitSession["feed"], number>();

/**
 * Many pods settle at once, and one look is for all whose time is over. The time runs from the process's own
 * beginning, which is before the engine's command comes back; a look that comes too early is made again.
 */
async function waitSettled(
  session: WaitSession,
  identity: PodIdentity,
  watched: Watched,
): Promise<void> {
  const { feed, signal } = session;
  const { settleMs } = session.context;
  const startedAt = performance.now();
  let pauseMs = Math.max(0, settleMs - (headStarts.get(feed) ?? 0));
  for (let failed = 0; ; ) {
    await sleep(pauseMs, undefined, { signal });
    const lookedAt = performance.now();
    const down = await processProblem(session, identity, watched, 0);
    const main = down === undefined ? await readProcess(session, identity, watched) : undefined;
    if (main !== undefined) headStarts.set(feed, Math.max(0, main.ageMs - (main.at - startedAt)));
    const isOld = (ms: number): boolean => main === undefined || main.ageMs + AGE_ERROR_MS >= ms;
    if (down === undefined && isOld(settleMs)) return;
    if (main !== undefined && isOld(lookedAt - startedAt)) {
      pauseMs = settleMs - main.ageMs;
      continue;
    }
    failed += 1;
    const problem = down ?? startedAgain(main?.restarts);
    if (failed >= UNPROBED.retries) throw unhealthy(identity, watched.name, problem, failed);
    pauseMs = UNPROBED.intervalMs;
  }
}

/** What ends all the time runs now and then. */
function startedAgain(restarts = 0): string {
  return `it ended and was started again${restarts > 1 ? `, ${restarts} times` : ""}`;
}

/** How old the process of a container is, and when that was, if known. */
async function readProcess(
  { feed, host, signal, context: { settleMs } }: WaitSession,
  identity: PodIdentity,
  { name }: Watched,
): Promise<
  { readonly ageMs: number; readonly at: number; readonly restarts?: number } | undefined
> {
  if (settleMs === 0) return undefined;
  const seen = await feed.observe(identity, STATE_AGE_MS);
  const container = seen.pods.find((each) => isSame(each, identity))?.containers[name];
  const { pid, restarts = 0 } = container ?? {};
  if (pid === undefined) return undefined;
  const { ages, at } = await agesOfAll(host, seen, signal);
  const ageMs = ages.get(pid);
  return ageMs === undefined ? undefined : { ageMs, at, restarts };
}

/** Asks a container once, by its probe where it has one: why it is not healthy. */
export async function tryContainer(
  session: WaitSession,
  identity: PodIdentity,
  watched: Watched,
): Promise<string | undefined> {
  const probe = watched.container.health;
  if (probe === undefined) return await processProblem(session, identity, watched, 0);
  return await tryOnce(session, identity, { ...watched, probe }, 0);
}

/** The process of a container, where its engine tells. */
export async function processOf(
  { feed }: Pick<WaitSession, "feed">,
  identity: PodIdentity,
  name: string,
): Promise<number | undefined> {
  const { pods } = await feed.observe(identity, STATE_AGE_MS);
  return pods.find((each) => isSame(each, identity))?.containers[name]?.pid;
}

async function tryOnce(
  session: WaitSession,
  identity: PodIdentity,
  watched: Watched & { readonly probe: Probe },
  stateAgeMs: number,
): Promise<string | undefined> {
  const { probe } = watched;
  const down = await processProblem(session, identity, watched, stateAgeMs);
  if (down !== undefined) return down;
  const { timeoutMs } = probeTiming(probe);
  const address = await addressOf(session, identity, watched.pod, stateAgeMs);
  const problem = await session.probe(() =>
    runProbe(session, identity, watched.name, probe, timeoutMs, address),
  );
  // what answered must have been this process, and not the one before it
  return problem ?? (await processProblem(session, identity, watched, 0));
}

/** Where a pod in a network of its own is asked. */
async function addressOf(
  { feed }: WaitSession,
  identity: PodIdentity,
  spec: PodSpec,
  maxAgeMs: number,
): Promise<string | undefined> {
  if (!isNetworked(spec)) return undefined;
  const { pods } = await feed.observe(identity, maxAgeMs);
  return pods.find((each) => isSame(each, identity))?.address;
}

/**
 * Why a container's process does not run, where its engine may start it again.
 *
 * @throws StowageError when nobody will
 */
async function processProblem(
  { feed, observation }: WaitSession,
  identity: PodIdentity,
  { name, pod }: Watched,
  maxAgeMs: number,
): Promise<string | undefined> {
  const engine = await feed.observe(identity, maxAgeMs);
  const container = engine.pods.find((each) => isSame(each, identity))?.containers[name];
  if (container?.state === "running") return undefined;
  const exit = container?.exitCode === undefined ? "" : ` with exit code ${container.exitCode}`;
  const problem =
    container?.state === "exited" ? `it ended${exit}` : `it is ${container?.state ?? "gone"}`;
  const policy = pod.restart?.policy ?? "no";
  if (policy === "on-failure" && container?.state === "exited" && container.exitCode === 0) {
    // it has done its work
    return undefined;
  }
  if (container?.state === "unknown") return problem;
  const { support } = restartSupport(observation.capabilities, pod);
  // where watch starts it again, it is too late for this
  if (policy !== "no" && support === "native" && container?.state === "exited") return problem;
  throw unhealthy(identity, name, problem, 1);
}

function isSame(pod: ObservedPod, identity: PodIdentity): boolean {
  return (
    pod.generation === identity.generation &&
    pod.pod === identity.pod &&
    pod.owner === identity.owner &&
    pod.fleet === identity.fleet
  );
}

/** The error of a container that is not healthy. */
export function unhealthy(
  { pod }: PodIdentity,
  container: string,
  problem: string,
  tries: number,
): StowageError {
  const after = tries > 1 ? ` after ${tries} tries` : "";
  return new StowageError(
    `Cannot start pod "${pod}": container ${container} is not healthy${after}: ${problem}; see its log`,
    { code: "failed_precondition", context: { pod, container } },
  );
}
