import { CPU_PERIOD_US, US_PER_MILLI } from "../../../engine/index.ts";
import type { Resources } from "../../../model/index.ts";
import type { OciResources } from "./oci-spec.ts";

/** Weight of a container without a declared one: the kernel's default. */
const KERNEL_CPU_SHARES = 1024;

/** Limits of a container that is made; what is not set is left out. */
export function toOciResources(resources: Resources | undefined): OciResources {
  if (resources === undefined) return {};
  const {
    cpuMillis,
    cpuShares,
    cpuset,
    memoryBytes,
    memoryReservationBytes,
    memorySwapBytes,
    pidsMax,
  } = resources;
  const cpu = {
    ...(cpuMillis === undefined ? {} : { quota: cpuMillis * US_PER_MILLI, period: CPU_PERIOD_US }),
    ...(cpuShares === undefined ? {} : { shares: cpuShares }),
    ...(cpuset === undefined ? {} : { cpus: cpuset }),
  };
  const memory = {
    ...(memoryBytes === undefined ? {} : { limit: memoryBytes }),
    ...(memoryReservationBytes === undefined ? {} : { reservation: memoryReservationBytes }),
    ...(memorySwapBytes === undefined ? {} : { swap: memorySwapBytes }),
  };
  return {
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(pidsMax === undefined ? {} : { pids: { limit: pidsMax } }),
  };
}

/**
 * What takes a cgroup from one set of limits to another: a runtime leaves alone what is not named, so a
 * limit that is gone has to be lifted by name.
 *
 * @param everyCpu list of the host's CPUs, for a cpuset that is gone; without it the cpuset stays
 */
export function resourceUpdate(
  before: OciResources,
  after: OciResources,
  everyCpu: string | undefined,
): OciResources {
  const gone = (was: unknown, is: unknown): boolean => was !== undefined && is === undefined;
  const cpu = {
    ...after.cpu,
    ...(gone(before.cpu?.quota, after.cpu?.quota) ? { quota: -1, period: CPU_PERIOD_US } : {}),
    ...(gone(before.cpu?.shares, after.cpu?.shares) ? { shares: KERNEL_CPU_SHARES } : {}),
    ...(gone(before.cpu?.cpus, after.cpu?.cpus) && everyCpu !== undefined
      ? { cpus: everyCpu }
      : {}),
  };
  const memory = {
    ...after.memory,
    ...(gone(before.memory?.limit, after.memory?.limit) ? { limit: -1 } : {}),
    ...(gone(before.memory?.reservation, after.memory?.reservation) ? { reservation: -1 } : {}),
    ...(gone(before.memory?.swap, after.memory?.swap) ? { swap: -1 } : {}),
  };
  const pids = after.pids ?? (before.pids === undefined ? undefined : { limit: -1 });
  return {
    ...(Object.keys(cpu).length === 0 ? {} : { cpu }),
    ...(Object.keys(memory).length === 0 ? {} : { memory }),
    ...(pids === undefined ? {} : { pids }),
  };
}
