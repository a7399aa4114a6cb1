import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../../errors/index.ts";
import type { InspectedContainer } from "../cli/answers.ts";
import type { PodmanContext } from "../context.ts";
import { inspectContainers } from "./lists.ts";

/** States that podman leaves only on request. */
const FINAL = ["exited", "created", "configured", "initialized"];
/** How often it is looked whether podman is done with a container, and how long in between. */
const LOOKS = 50;
const PAUSE_MS = 100;
/** Looks after which what ended is taken for a container whose process ends at once, again and again. */
const PATIENCE = 4;

/** Whether podman itself starts a container again. */
export function isStartedAgain({ HostConfig }: InspectedContainer): boolean {
  return !["", "no"].includes(HostConfig.RestartPolicy.Name);
}

/**
 * Waits until podman is done with containers that were stopped, and stops those again that it started.
 *
 * podman remembers that it is to start a container again from when it first sees its end until its
 * `container cleanup`. Before 4.6 a `kill` is not remembered, and a `stop` in that time does nothing. In
 * `init` it forgets it.
 *
 * @throws StowageError `unavailable` when podman goes on to start them
 */
export async function stayEnded(
  context: PodmanContext,
  containers: readonly InspectedContainer[],
): Promise<void> {
  const ids = containers.filter(isStartedAgain).map(({ Id }) => Id);
  for (let look = 1; ids.length > 0; look += 1) {
    const found = await inspectContainers(context, ids, undefined);
    const left = found.filter(({ State }) => !FINAL.includes(State.Status));
    const [first] = left;
    if (first === undefined) return;
    if (look >= LOOKS) throw startedAgain(first);
    await endAgain(context, left, look > PATIENCE);
    await delay(PAUSE_MS);
  }
}

async function endAgain(
  { cli }: PodmanContext,
  left: readonly InspectedContainer[],
  isLate: boolean,
): Promise<void> {
  const doing = "keep containers from being started again";
  const pending = left.filter(({ State }) => State.Status === "stopped");
  const toEnd = isLate ? left : left.filter((each) => !pending.includes(each));
  if (isLate && pending.length > 0)
    await cli.run(["init", ...pending.map(({ Id }) => Id)], { doing });
  if (toEnd.length > 0) {
    await cli.run(["stop", "--time", "0", ...toEnd.map(({ Id }) => Id)], { doing });
  }
}

function startedAgain({ Name, HostConfig }: InspectedContainer): StowageError {
  const { Name: policy } = HostConfig.RestartPolicy;
  return new StowageError(
    `Cannot stop container "${Name}": podman keeps starting it by its policy ${policy}; remove it with "podman rm --force ${Name}"`,
    { code: "unavailable", context: { container: Name } },
  );
}
