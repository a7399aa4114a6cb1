import { CGROUP_ROOT, CPU_PERIOD_US, toWeight, US_PER_MILLI } from "../../../engine/index.ts";
import type { Resources } from "../../../model/index.ts";

/** What of a host decides where cgroups of ours are. */
export interface CgroupHome {
  readonly version: 1 | 2;
  /** Whether systemd is the host's first process: each container then has a unit, and its cgroup is below it. */
  readonly systemd: boolean;
  /** Folder of our cgroups where there is no systemd. */
  readonly scope: string;
}

/** A file of a cgroup and what to write into it. */
export type CgroupWrite = readonly [path: string, value: string];

/** Controllers that limits need; `pids` is also where processes are looked for. */
const CONTROLLERS = ["cpu", "cpuset", "memory", "pids"] as const;

/** In place of an app: stands for all of them in a pattern. */
export const EVERY_APP = "stw-*";

/** Begins the name of the cgroup, below its container's, that a command has which is run in it. */
export const EXEC_PREFIX = "exec-";

type Field = keyof Resources;

/** Path of a container's cgroup below the root of each hierarchy */
export function cgroupPath({ systemd, scope }: CgroupHome, app: string): string {
  return systemd ? `/system.slice/${app}.service/${app}` : `/${scope}/${app}`;
}

/** Directories of a container's cgroup, one a hierarchy. */
export function cgroupDirs(home: CgroupHome, app: string): readonly string[] {
  const path = cgroupPath(home, app);
  if (home.version === 2) return [`${CGROUP_ROOT}${path}`];
  return CONTROLLERS.map((controller) => `${CGROUP_ROOT}/${controller}${path}`);
}

/** The directory whose processes are those of a container. */
export function processDir(home: CgroupHome, app: string): string {
  return `${CGROUP_ROOT}${home.version === 2 ? "" : "/pids"}${cgroupPath(home, app)}`;
}

/** The directory of what supervises a container: no limit of the container's holds for it. */
export function supervisorDir(home: CgroupHome, app: string): string {
  return `${processDir(home, app)}.sup`;
}

/** Everything that makes a cgroup of version 1 or 2 with limits; what is not set is not written. */
export function limitWrites(
  home: CgroupHome,
  app: string,
  limits: Resources,
): readonly CgroupWrite[] {
  return (Object.keys(limits) as Field[])
    .filter((field) => limits[field] !== undefined)
    .flatMap((field) => write(home, app, field, textOf(home.version, field, limits)));
}

/** What takes a running cgroup from one set of limits to another: one that is gone is lifted by name. */
export function limitChanges(
  home: CgroupHome,
  app: string,
  before: Resources,
  after: Resources,
  everyCpu: string,
): readonly CgroupWrite[] {
  const gone = (Object.keys(before) as Field[]).filter(
    (field) => before[field] !== undefined && after[field] === undefined,
  );
  return [
    ...gone.flatMap((field) => write(home, app, field, lifted(home.version, field, everyCpu))),
    ...limitWrites(home, app, after),
  ];
}

const FILES: Readonly<Record<Field, readonly [v1: string, v2: string]>> = {
  cpuMillis: ["cpu/cpu.cfs_quota_us", "cpu.max"],
  cpuShares: ["cpu/cpu.shares", "cpu.weight"],
  cpuset: ["cpuset/cpuset.cpus", "cpuset.cpus"],
  memoryBytes: ["memory/memory.limit_in_bytes", "memory.max"],
  memoryReservationBytes: ["memory/memory.soft_limit_in_bytes", "memory.low"],
  memorySwapBytes: ["memory/memory.memsw.limit_in_bytes", "memory.swap.max"],
  pidsMax: ["pids/pids.max", "pids.max"],
};

function write(home: CgroupHome, app: string, field: Field, value: string): readonly CgroupWrite[] {
  const path = cgroupPath(home, app);
  const [v1, v2] = FILES[field];
  if (home.version === 2) return [[`${CGROUP_ROOT}${path}/${v2}`, value]];
  const [controller = "", file = ""] = v1.split("/");
  const directory = `${CGROUP_ROOT}/${controller}${path}`;
  const period: readonly CgroupWrite[] =
    field === "cpuMillis" ? [[`${directory}/cpu.cfs_period_us`, String(CPU_PERIOD_US)]] : [];
  return [...period, [`${directory}/${file}`, value]];
}

function textOf(version: 1 | 2, field: Field, limits: Resources): string {
  const value = limits[field] ?? "";
  if (field === "cpuMillis") {
    const quota = String(Number(value) * US_PER_MILLI);
    return version === 1 ? quota : `${quota} ${CPU_PERIOD_US}`;
  }
  if (version === 1) return String(value);
  if (field === "cpuShares") return String(toWeight(Number(value)));
  // version 2 counts swap alone, the model both together
  if (field === "memorySwapBytes") return String(Number(value) - (limits.memoryBytes ?? 0));
  return String(value);
}

function lifted(version: 1 | 2, field: Field, everyCpu: string): string {
  if (field === "cpuset") return everyCpu;
  if (field === "pidsMax") return "max";
  if (version === 1) return field === "cpuShares" ? "1024" : "-1";
  if (field === "cpuMillis") return `max ${CPU_PERIOD_US}`;
  if (field === "cpuShares") return "100";
  return field === "memoryReservationBytes" ? "0" : "max";
}
