import {
  isNetworked,
  type ObservedContainer,
  type ObservedPod,
  onceContainers,
  type PodSpec,
  runsOnce,
} from "../model/index.ts";
import type { Reason } from "./plan.ts";

/**
 * Why a pod that exists does not run as it should; empty when it does.
 *
 * @param applied what it was made as, where that is known: a container that is new is not missed
 */
export function stateReasons(
  spec: PodSpec,
  observed: ObservedPod,
  applied: PodSpec | undefined,
): readonly Reason[] {
  const reasons: Reason[] = [];
  const made = (applied ?? spec).containers;
  for (const name of Object.keys(spec.containers).filter((each) => made[each] !== undefined)) {
    const container = observed.containers[name];
    if (container === undefined || container.state === "missing") {
      reasons.push({
        kind: "state",
        path: `containers.${name}`,
        verdict: "replace",
        text: "it is gone: somebody removed it from the engine",
      });
    } else if (
      container.state !== "running" &&
      container.state !== "unknown" &&
      !isCompleted(spec, observed, name)
    ) {
      reasons.push({
        kind: "state",
        path: `containers.${name}`,
        verdict: "none",
        text: stateWords(container),
      });
    }
  }
  const detached = detachment(spec, observed);
  if (detached !== undefined)
    reasons.push({ kind: "state", path: "", verdict: "none", text: detached });
  if (reasons.length === 0 && observed.state === "incomplete") {
    reasons.push({
      kind: "state",
      path: "",
      verdict: "replace",
      text: "a part of it is gone from the engine",
    });
  }
  return reasons;
}

/** Why a pod that runs is not in its network; what does not run gets all of it with its start. */
function detachment(spec: PodSpec, observed: ObservedPod): string | undefined {
  if (!isNetworked(spec)) return undefined;
  const runs = Object.values(observed.containers).some(({ state }) => state === "running");
  if (!runs) return undefined;
  if (observed.address !== undefined || observed.detached !== undefined) return observed.detached;
  return "everything that was made of its network is gone";
}

/**
 * Whether a container that ended has done its work: with on-failure, and where others wait for its end, with
 * exit code 0. What others that run have waited for must have come to that, also where nobody knows any more.
 */
export function isCompleted(spec: PodSpec, observed: ObservedPod, name: string): boolean {
  const container = observed.containers[name];
  if (container?.state !== "exited") return false;
  if (container.exitCode === 0)
    return spec.restart?.policy === "on-failure" || runsOnce(spec, name);
  return container.exitCode === undefined && runsOnce(spec, name) && othersRun(spec, observed);
}

/**
 * Containers that run to their end and are to do so again before others of the pod are started: none while
 * any of those runs.
 */
export function runAgain(spec: PodSpec, observed: ObservedPod): readonly string[] {
  return othersRun(spec, observed) ? [] : onceContainers(spec);
}

function othersRun(spec: PodSpec, { containers }: ObservedPod): boolean {
  return Object.entries(containers).some(
    ([name, { state }]) =>
      state !== "exited" && state !== "prepared" && state !== "missing" && !runsOnce(spec, name),
  );
}

/** Containers that ended and have done their work. */
export function completedContainers(spec: PodSpec, observed: ObservedPod): readonly string[] {
  return Object.keys(spec.containers).filter((name) => isCompleted(spec, observed, name));
}

/** How a container that does not run stands, in one sentence. */
export function stateWords(container: ObservedContainer): string {
  const at = container.exitedAt === undefined ? "" : ` at ${container.exitedAt}`;
  switch (container.state) {
    case "paused":
      return "it is paused";
    case "prepared":
      return "it was created but never started";
    default:
      if (container.exitCode === undefined) return `it ended${at}, its exit code is not known`;
      if ((container.restarts ?? 0) > 0)
        return `it ended with exit code ${container.exitCode}${at}, after ${container.restarts} ${container.restarts === 1 ? "restart" : "restarts"}`;
      if (container.exitCode > 128)
        return `it was killed by signal ${container.exitCode - 128} (exit ${container.exitCode})${at}`;
      return `it ended with exit code ${container.exitCode}${at}`;
  }
}
