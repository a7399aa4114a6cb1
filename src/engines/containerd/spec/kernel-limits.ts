import type { Json, Resources } from "../../../model/index.ts";
import { CPU_PERIOD_US, US_PER_MILLI } from "./resource-limits.ts";
import type { StoredSpec } from "./stored-spec.ts";

type Field = keyof Resources;

const ROOT = "/sys/fs/cgroup";
const PAGE_BYTES = 4096;
/** Beyond this a limit of cgroup v1 means none: it writes the largest multiple of a page. */
const NO_LIMIT = 2 ** 62;

/** Where a kernel keeps a limit, by the version of its cgroups, below a container's own path. */
const FILES: Readonly<Record<Field, { readonly v1: string; readonly v2: string }>> = {
  cpuMillis: { v1: "cpu/*/cpu.cfs_quota_us", v2: "*/cpu.max" },
  cpuShares: { v1: "cpu/*/cpu.shares", v2: "*/cpu.weight" },
  cpuset: { v1: "cpuset/*/cpuset.cpus", v2: "*/cpuset.cpus" },
  memoryBytes: { v1: "memory/*/memory.limit_in_bytes", v2: "*/memory.max" },
  memoryReservationBytes: { v1: "memory/*/memory.soft_limit_in_bytes", v2: "*/memory.low" },
  memorySwapBytes: { v1: "memory/*/memory.memsw.limit_in_bytes", v2: "*/memory.swap.max" },
  pidsMax: { v1: "pids/*/pids.max", v2: "*/pids.max" },
};

/** Files to read for the limits that a stored spec sets: both versions', one of which will be there. */
export function limitFiles(spec: StoredSpec): readonly string[] {
  const { cgroupsPath } = spec.linux;
  if (!cgroupsPath.startsWith("/")) return [];
  return (Object.keys(storedLimits(spec)) as Field[]).flatMap((field) => [
    fileOf(field, "v1", cgroupsPath),
    fileOf(field, "v2", cgroupsPath),
  ]);
}

/** The limits that a stored spec sets, in the model's units. */
export function storedLimits({
  linux: { resources },
}: StoredSpec): Partial<Record<Field, number | string>> {
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

/**
 * The limits of a container as the kernel has them: where it has what was asked for, in the form in
 * which it was asked (the kernel rounds to pages, and weighs CPUs in units of its own).
 *
 * @param files texts by path; a limit whose file is not among them is as stored
 * @returns null for a limit that the kernel does not set
 */
export function effectiveLimits(
  spec: StoredSpec,
  files: ReadonlyMap<string, string | Error>,
): Partial<Record<Field, Json>> {
  const stored = storedLimits(spec);
  const found: [string, Json][] = [];
  for (const field of Object.keys(FILES) as Field[]) {
    const asked = stored[field];
    if (asked === undefined) continue;
    const { cgroupsPath } = spec.linux;
    const [v1, v2] = (["v1", "v2"] as const).map((version) =>
      files.get(fileOf(field, version, cgroupsPath)),
    );
    if (typeof v1 === "string") found.push([field, fromV1(field, v1.trim(), asked)]);
    else if (typeof v2 === "string") found.push([field, fromV2(field, v2.trim(), asked, stored)]);
    else found.push([field, asked]);
  }
  return Object.fromEntries(found);
}

function fileOf(field: Field, version: "v1" | "v2", cgroupsPath: string): string {
  return `${ROOT}/${FILES[field][version].replace("*", cgroupsPath.slice(1))}`;
}

function fromV1(field: Field, text: string, asked: number | string): Json {
  if (field === "cpuset") return sameCpus(text, asked);
  const value = text === "max" ? Number.POSITIVE_INFINITY : Number(text);
  if (field === "cpuMillis") return value < 0 ? null : toMillis(value, CPU_PERIOD_US);
  if (field === "cpuShares" || field === "pidsMax") return finite(value);
  return sameBytes(value, asked);
}

function fromV2(
  field: Field,
  text: string,
  asked: number | string,
  stored: Partial<Record<Field, number | string>>,
): Json {
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
  const memory = field === "memorySwapBytes" ? Number(stored.memoryBytes ?? 0) : 0;
  return sameBytes(value + memory, asked);
}

function toMillis(quota: number, period: number): number {
  return Math.round((quota * (CPU_PERIOD_US / period)) / US_PER_MILLI);
}

function finite(value: number): Json {
  return Number.isFinite(value) ? value : null;
}

function sameBytes(value: number, asked: number | string): Json {
  if (!(value < NO_LIMIT)) return null;
  return Math.floor(Number(asked) / PAGE_BYTES) * PAGE_BYTES === value ? asked : value;
}

/** The runtime's way from shares (2 to 262144) to a weight of version 2 (1 to 10000). */
function toWeight(shares: number): number {
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
