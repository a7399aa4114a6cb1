import type { Json, Resources } from "../model/index.ts";

type Field = keyof Resources;

/** Where cgroups are mounted. */
export const CGROUP_ROOT = "/sys/fs/cgroup";
/** Microseconds that a share of CPU time is measured over. */
export const CPU_PERIOD_US = 100_000;
/** Microseconds of each period that one thousandth of a CPU comes to. */
export const US_PER_MILLI = CPU_PERIOD_US / 1000;
const PAGE_BYTES = 4096;
/** Beyond this a limit of cgroup v1 means none: it writes the largest multiple of a page. */
const NO_LIMIT = 2 ** 62;

/** Where a kernel keeps a limit, by the version of its cgroups; `*` is the cgroup's own path. */
const FILES: Readonly<Record<Field, { readonly v1: string; readonly v2: string }>> = {
  cpuMillis: { v1: "cpu/*/cpu.cfs_quota_us", v2: "*/cpu.max" },
  cpuShares: { v1: "cpu/*/cpu.shares", v2: "*/cpu.weight" },
  cpuset: { v1: "cpuset/*/cpuset.cpus", v2: "*/cpuset.cpus" },
  memoryBytes: { v1: "memory/*/memory.limit_in_bytes", v2: "*/memory.max" },
  memoryReservationBytes: { v1: "memory/*/memory.soft_limit_in_bytes", v2: "*/memory.low" },
  memorySwapBytes: { v1: "memory/*/memory.memsw.limit_in_bytes", v2: "*/memory.swap.max" },
  pidsMax: { v1: "pids/*/pids.max", v2: "*/pids.max" },
};

/** Limits of a container, in the model's units. */
export type Limits = Partial<Record<Field, number | string>>;

/** Files with the limits of a cgroup: of both versions, one of which exists. */
export function limitFiles(cgroupPath: string, limits: Limits): readonly string[] {
  if (!cgroupPath.startsWith("/")) return [];
  return (Object.keys(FILES) as Field[])
    .filter((field) => limits[field] !== undefined)
    .flatMap((field) => [limitFile(field, "v1", cgroupPath), limitFile(field, "v2", cgroupPath)]);
}

/**
 * The limits of a cgroup as the kernel has them: where it has what was asked for, in the form in which
 * it was asked (the kernel rounds to pages, and weighs CPUs in units of its own).
 *
 * @param asked the limits that were asked for; no others are read
 * @param files texts by path; a limit whose file is not among them is as it was asked for
 * @returns null for a limit that the kernel does not set
 */
export function effectiveLimits(
  cgroupPath: string,
  asked: Limits,
  files: ReadonlyMap<string, string | Error>,
): Partial<Record<Field, Json>> {
  const found: [string, Json][] = [];
  for (const field of Object.keys(FILES) as Field[]) {
    const limit = asked[field];
    if (limit === undefined) continue;
    const [v1, v2] = (["v1", "v2"] as const).map((version) =>
      files.get(limitFile(field, version, cgroupPath)),
    );
    if (typeof v1 === "string") found.push([field, fromV1(field, v1.trim(), limit)]);
    else if (typeof v2 === "string") found.push([field, fromV2(field, v2.trim(), limit, asked)]);
    else found.push([field, limit]);
  }
  return Object.fromEntries(found);
}

/** File of one limit of a cgroup. */
export function limitFile(field: Field, version: "v1" | "v2", cgroupPath: string): string {
  return `${CGROUP_ROOT}/${FILES[field][version].replace("*", () => cgroupPath.slice(1))}`;
}

function fromV1(field: Field, text: string, asked: number | string): Json {
  if (field === "cpuset") return sameCpus(text, asked);
  const value = text === "max" ? Number.POSITIVE_INFINITY : Number(text);
  if (field === "cpuMillis") return value < 0 ? null : toMillis(value, CPU_PERIOD_US);
  if (field === "cpuShares" || field === "pidsMax") return finite(value);
  return sameBytes(value, asked);
}

function fromV2(field: Field, text: string, asked: number | string, limits: Limits): Json {
  if (field === "cpuset") return sameCpus(text, asked);
  if (field === "cpuMillis") {
    const [quota = "", period = ""] = text.split(" ");
    return quota === "max" ? null : toMillis(Number(quota), Number(period));
  }
  const value = text === "max" ? Number.POSITIVE_INFINITY : Number(text);
  if (field === "cpuShares") return value === toWeight(Number(asked)) ? asked : toShares(value);
  if (field === "pidsMax") return finite(value);
  if (field === "memoryReservationBytes" && value === 0) return null;
  // version 2 counts swap alone, the model both together
  const memory = field === "memorySwapBytes" ? Number(limits.memoryBytes ?? 0) : 0;
  return sameBytes(value + memory, asked);
}

/** Thousandths of a CPU from a quota of a period. */
export function toMillis(quota: number, period: number): number {
  return Math.round((quota * (CPU_PERIOD_US / period)) / US_PER_MILLI);
}

function finite(value: number): Json {
  return Number.isFinite(value) ? value : null;
}

function sameBytes(value: number, asked: number | string): Json {
  if (!(value < NO_LIMIT)) return null;
  return Math.floor(Number(asked) / PAGE_BYTES) * PAGE_BYTES === value ? asked : value;
}

/** The way from shares (2 to 262144) to a weight of version 2 (1 to 10000) that every runtime goes. */
export function toWeight(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

function toShares(weight: number): number {
  return 2 + Math.round(((weight - 1) * 262_142) / 9999);
}

function sameCpus(text: string, asked: number | string): Json {
  if (text === "") return null;
  return cpuList(text) === cpuList(String(asked)) ? asked : text;
}

function cpuList(text: string): string {
  const cpus = text.split(",").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at);
  });
  return [...new Set(cpus)].sort((a, b) => a - b).join(",");
}
