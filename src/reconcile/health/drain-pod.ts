import { setTimeout as sleep } from "node:timers/promises";
import { StowageError } from "../../errors/index.ts";
import {
  DRAIN_TIMEOUT_MS,
  type Drain,
  drains,
  objectName,
  type PodIdentity,
  type PodSpec,
} from "../../model/index.ts";
import type { HostSession } from "../execute/host-session.ts";

type Session = Pick<HostSession, "engine" | "feed" | "signal">;

/**
 * Does what the containers of a generation want done before they are stopped, all at the same time: the command
 * of each, then its wait, within its time. One that does not run is left out.
 *
 * @param onProblem called when a command fails: the stop continues
 */
export async function drainPod(
  session: Session,
  identity: PodIdentity,
  spec: PodSpec,
  onProblem: (container: string, problem: string) => void,
): Promise<void> {
  const { pods } = await session.feed.observe(identity, 0);
  const found = pods.find((each) => objectName(each) === objectName(identity));
  const running = drains(spec).filter(([name]) => found?.containers[name]?.state === "running");
  await Promise.all(
    running.map(async ([name, drain]) => {
      const problem = await drainContainer(session, identity, name, drain);
      if (problem !== undefined) onProblem(name, problem);
    }),
  );
}

async function drainContainer(
  session: Session,
  identity: PodIdentity,
  name: string,
  { command, waitMs = 0, timeoutMs = DRAIN_TIMEOUT_MS }: Drain,
): Promise<string | undefined> {
  const until = performance.now() + timeoutMs;
  const problem =
    command === undefined
      ? undefined
      : await runCommand(session, identity, name, command, timeoutMs);
  const left = Math.min(waitMs, until - performance.now());
  if (left > 0) await sleep(left, undefined, { signal: session.signal });
  return problem;
}

async function runCommand(
  { engine, signal }: Session,
  identity: PodIdentity,
  name: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const { exitCode } = await engine.exec(identity, name, command, { timeoutMs, signal });
    return exitCode === 0 ? undefined : `it ended with exit code ${exitCode}`;
  } catch (error) {
    signal.throwIfAborted();
    if (!StowageError.is(error)) throw error;
    return error.message;
  }
}
