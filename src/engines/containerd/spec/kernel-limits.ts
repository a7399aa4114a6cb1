import {
  type AskedLimits,
  CPU_PERIOD_US,
  limitFiles as filesOfLimits,
  effectiveLimits as limitsInForce,
  US_PER_MILLI,
} from "../../../engine/index.ts";
import type { Json } from "../../../model/index.ts";
import type { StoredSpec } from "./stored-spec.ts";

/** Files to read for the limits that a stored spec sets. */
export function limitFiles(spec: StoredSpec): readonly string[] {
  return filesOfLimits(storedLimits(spec), spec.linux.cgroupsPath);
}

/** The limits that a stored spec sets, in the model's units. */
export function storedLimits({ linux: { resources } }: StoredSpec): AskedLimits {
  const { cpu, memory, pids } = resources;
  const all = {
    cpuMillis:
      cpu?.quota === undefined
        ? undefined
        : Math.round((cpu.quota * (CPU_PERIOD_US / (cpu.period ?? CPU_PERIOD_US))) / US_PER_MILLI),
    cpuShares: cpu?.shares,
    cpuset: cpu?.cpus,
    memoryBytes: memory?.limit,
    memoryReservationBytes: memory?.reservation,
    memorySwapBytes: memory?.swap,
    pidsMax: pids?.limit,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The limits that a stored spec sets, as the kernel has them. */
export function effectiveLimits(
  spec: StoredSpec,
  files: ReadonlyMap<string, string | Error>,
): Readonly<Record<string, Json>> {
  return limitsInForce(storedLimits(spec), spec.linux.cgroupsPath, files);
}
