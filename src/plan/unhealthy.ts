import type { ObservedContainer } from "../model/index.ts";
import type { AppliedPod } from "./applied-pods.ts";
import type { Reason } from "./plan.ts";

/** A container whose probe failed as often in a row as it may. */
export interface UnhealthyContainer {
  /** `host/pod`. */
  readonly id: string;
  readonly container: string;
  readonly generation: number;
  /** The {@link processKey} of what was asked. */
  readonly process: string;
  /** What its probe says, for people. */
  readonly reason: string;
}

/** Tells the process of a container from one that was started later. */
export function processKey({ id, pid, restarts = 0 }: ObservedContainer): string {
  return `${id} ${pid ?? ""} ${restarts}`;
}

/**
 * Why a pod is to be ended for a new start; empty when it is not: no container wants it, what was asked runs no
 * more, or its restart policy would not start it again if whoever ended it died.
 */
export function unhealthyReasons(
  { host, pod, applied: { spec } }: AppliedPod,
  unhealthy: readonly UnhealthyContainer[],
): readonly Reason[] {
  const policy = spec.restart?.policy ?? "no";
  if (policy !== "always" && policy !== "unless-stopped") return [];
  return unhealthy
    .filter(({ id, generation, container: name, process }) => {
      const container = pod.containers[name];
      return (
        id === `${host}/${pod.pod}` &&
        generation === pod.generation &&
        container?.state === "running" &&
        processKey(container) === process &&
        spec.containers[name]?.health?.whenUnhealthy === "restart"
      );
    })
    .map(({ container, reason }) => ({
      kind: "state",
      path: `containers.${container}`,
      verdict: "restart",
      text: `it is unhealthy: ${reason}`,
    }));
}
