import { CPU_PERIOD_US, US_PER_MILLI } from "../../../engine/index.ts";
import type { Resources } from "../../../model/index.ts";

/** Flags that `create` takes for limits, and `update` for those that are set. */
export function limitArguments(resources: Resources): readonly string[] {
  const { cpuMillis, cpuShares, cpuset, memoryBytes, memoryReservationBytes, memorySwapBytes } =
    resources;
  return [
    ...(cpuMillis === undefined
      ? []
      : ["--cpu-period", `${CPU_PERIOD_US}`, "--cpu-quota", `${cpuMillis * US_PER_MILLI}`]),
    ...(cpuShares === undefined ? [] : ["--cpu-shares", `${cpuShares}`]),
    ...(cpuset === undefined ? [] : ["--cpuset-cpus", cpuset]),
    // left out, podman would allow as much swap again as there is memory
    ...(memoryBytes === undefined
      ? []
      : ["--memory", `${memoryBytes}b`, "--memory-swap", swapOf(memorySwapBytes)]),
    ...(memoryReservationBytes === undefined
      ? []
      : ["--memory-reservation", `${memoryReservationBytes}b`]),
  ];
}

/** Flags for the limits of a container that is made: its processes are not limited unless declared. */
export function resourceArguments(resources: Resources | undefined): readonly string[] {
  return [...limitArguments(resources ?? {}), "--pids-limit", `${resources?.pidsMax ?? 0}`];
}

function swapOf(memorySwapBytes: number | undefined): string {
  return memorySwapBytes === undefined ? "-1" : `${memorySwapBytes}b`;
}
