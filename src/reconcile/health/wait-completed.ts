import { setTimeout as sleep } from "node:timers/promises";
import { StowageError } from "../../errors/index.ts";
import {
  COMPLETE_WITHIN_MS,
  type ObservedContainer,
  objectName,
  type PodIdentity,
  type PodSpec,
  restartSupport,
} from "../../model/index.ts";
import type { HostSession } from "../execute/host-session.ts";

const FIRST_PAUSE_MS = 20;
const PAUSE_MS_MAX = 500;

type Session = Pick<HostSession, "feed" | "signal"> & {
  readonly observation: Pick<HostSession["observation"], "capabilities">;
};

/**
 * Waits until a container that was started has ended with exit code 0.
 *
 * @throws StowageError `failed_precondition` when it ended in another way, `deadline_exceeded` when it still
 *   runs after its time
 */
export async function waitCompleted(
  { feed, signal, observation }: Session,
  identity: PodIdentity,
  spec: PodSpec,
  name: string,
): Promise<void> {
  const withinMs = spec.containers[name]?.completeWithinMs ?? COMPLETE_WITHIN_MS;
  const beganAt = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const { pods } = await feed.observe(identity, 0);
    const container = pods.find((each) => objectName(each) === objectName(identity))?.containers[
      name
    ];
    if (container?.state === "exited" && container.exitCode === 0) return;
    const goesOn = container?.state === "running" || container?.state === "unknown";
    if (!goesOn && !isTriedAgain(observation, spec, container))
      throw notCompleted(identity, spec, name, stateOf(container));
    if (performance.now() - beganAt >= withinMs)
      throw new StowageError(
        `Cannot start pod "${identity.pod}": ${kindOf(spec, name)} ${name} still runs after ${withinMs} ms, and others wait for its end; see its log, or raise completeWithinMs`,
        { code: "deadline_exceeded", context: { pod: identity.pod, container: name } },
      );
    await sleep(pauseMs, undefined, { signal });
  }
}

/** Whether its engine starts it again by itself. */
function isTriedAgain(
  { capabilities }: Session["observation"],
  spec: PodSpec,
  container: ObservedContainer | undefined,
): boolean {
  if (container?.state !== "exited" || spec.restart?.policy !== "on-failure") return false;
  const { restarts = 0 } = container;
  if (restarts >= (spec.restart.maxRetries ?? Number.POSITIVE_INFINITY)) return false;
  return restartSupport(capabilities, spec).support === "native";
}

function stateOf(container: ObservedContainer | undefined): string {
  if (container?.state !== "exited") return `is ${container?.state ?? "gone"}`;
  return container.exitCode === undefined
    ? "ended, its exit code is not known"
    : `ended with exit code ${container.exitCode}`;
}

function notCompleted(
  { pod }: PodIdentity,
  spec: PodSpec,
  name: string,
  state: string,
): StowageError {
  return new StowageError(
    `Cannot start pod "${pod}": ${kindOf(spec, name)} ${name} ${state}, and others wait for its exit code 0; see its log`,
    { code: "failed_precondition", context: { pod, container: name } },
  );
}

function kindOf({ containers }: PodSpec, name: string): string {
  return containers[name]?.init === true ? "init container" : "container";
}
