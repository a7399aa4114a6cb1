import {
  CPU_PERIOD_US,
  effectiveLimits as effectiveLimitsOf,
  type Limits,
  limitFiles as limitFilesOf,
  toMillis,
} from "../../../engine/index.ts";
import type { Json } from "../../../model/index.ts";
import type { StoredSpec } from "./stored-spec.ts";

/** Files to read for the limits that a stored spec sets. */
export function limitFiles(spec: StoredSpec): readonly string[] {
  return limitFilesOf(spec.linux.cgroupsPath, storedLimits(spec));
}

/** The limits that a stored spec sets, in the model's units. */
export function storedLimits({ linux: { resources } }: StoredSpec): Limits {
  const { cpu, memory, pids } = resources;
  const all = {
    cpuMillis:
      cpu?.quota === undefined ? undefined : toMillis(cpu.quota, cpu.period ?? CPU_PERIOD_US),
    cpuShares: cpu?.shares,
    cpuset: cpu?.cpus,
    memoryBytes: memory?.limit,
    memoryReservationBytes: memory?.reservation,
    memorySwapBytes: memory?.swap,
    pidsMax: pids?.limit,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The limits of a stored spec as the kernel has them; null for one that it does not set. */
export function effectiveLimits(
  spec: StoredSpec,
  files: ReadonlyMap<string, string | Error>,
): Readonly<Record<string, Json>> {
  return effectiveLimitsOf(spec.linux.cgroupsPath, storedLimits(spec), files);
}
