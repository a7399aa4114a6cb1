import { CGROUP_ROOT } from "../../engine/index.ts";

/** What a process's cgroups are, by controller; the one of version 2 has an empty name. */
export type CgroupPaths = ReadonlyMap<string, string>;

/** What the kernel counts of a container, since it began; what it does not tell is absent. */
export interface Usage {
  readonly cpuUs?: number;
  /** Without what the kernel only caches of files that nobody uses. */
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
  readonly pids?: number;
  readonly pidsLimit?: number;
  readonly readBytes?: number;
  readonly writtenBytes?: number;
}

type Files = ReadonlyMap<string, string | Error>;

/** Beyond this a limit of version 1 means none. */
const NO_LIMIT = 2 ** 62;

/** Files of each controller: version 1's name, and what is read of it. */
const V1 = {
  cpuacct: ["cpuacct.usage"],
  memory: ["memory.usage_in_bytes", "memory.limit_in_bytes", "memory.stat"],
  pids: ["pids.current", "pids.max"],
  blkio: ["blkio.throttle.io_service_bytes"],
} as const;

const V2 = [
  "cpu.stat",
  "memory.current",
  "memory.max",
  "memory.stat",
  "pids.current",
  "pids.max",
  "io.stat",
] as const;

/** Which controller counts what. */
const COUNTED = {
  cpuUs: "cpuacct",
  memoryBytes: "memory",
  pids: "pids",
  readBytes: "blkio",
} as const;

/** A number that cgroups count. */
export type Counted = keyof typeof COUNTED;

/** Reads /proc/PID/cgroup. */
export function parseCgroups(text: string): CgroupPaths {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    for (const name of (controllers ?? "").split(",")) found.set(name, path);
  }
  return found;
}

/**
 * The cgroups that are a container's alone. The root is everybody's; one that a process outside of the container is in,
 * or below, counts that as well: an engine that may make none leaves its containers in that of its session.
 *
 * @param others cgroups of processes that are outside of the container
 */
export function ownCgroups(paths: CgroupPaths, others: readonly CgroupPaths[]): CgroupPaths {
  return new Map(
    [...paths].filter(
      ([controller, path]) =>
        path !== "/" &&
        !others.some((other) => `${other.get(controller) ?? ""}/`.startsWith(`${path}/`)),
    ),
  );
}

/** Numbers that no cgroup of the container's own counts, of those that `paths` has for it. */
export function uncounted(paths: CgroupPaths, own: CgroupPaths): readonly Counted[] {
  return (Object.keys(COUNTED) as Counted[]).filter((number) => {
    const controller = paths.has(COUNTED[number]) ? COUNTED[number] : "";
    return paths.has(controller) && !own.has(controller);
  });
}

/** Files that tell what a container uses, of its own cgroups. */
export function usageFiles(paths: CgroupPaths): readonly string[] {
  const v1 = Object.entries(V1).flatMap(([controller, names]) => {
    const path = paths.get(controller);
    return path === undefined ? [] : names.map((name) => file(controller, path, name));
  });
  const path = paths.get("");
  return path === undefined ? v1 : [...v1, ...V2.map((name) => file("", path, name))];
}

/** File that lists a container's processes, where none counts the time that they take. */
export function processesFile(paths: CgroupPaths): string | undefined {
  if (paths.has("cpuacct") || paths.has("")) return undefined;
  const path = paths.get("pids");
  return path === undefined ? undefined : file("pids", path, "cgroup.procs");
}

/** What a container uses, from the files of either version; version 1 where it has a controller. */
export function usageOf(paths: CgroupPaths, files: Files): Usage {
  const v1 = (controller: keyof typeof V1, name: string): string | undefined => {
    const path = paths.get(controller);
    return path === undefined ? undefined : text(files, file(controller, path, name));
  };
  const v2 = (name: (typeof V2)[number]): string | undefined => {
    const path = paths.get("");
    return path === undefined ? undefined : text(files, file("", path, name));
  };
  const cpu = v1("cpuacct", "cpuacct.usage");
  const used = number(v1("memory", "memory.usage_in_bytes") ?? v2("memory.current"));
  const stat = v1("memory", "memory.stat") ?? v2("memory.stat") ?? "";
  const cached = keyed(stat, "total_inactive_file") ?? keyed(stat, "inactive_file") ?? 0;
  const io = ioOf(v1("blkio", "blkio.throttle.io_service_bytes"), v2("io.stat"));
  return defined({
    cpuUs: cpu === undefined ? keyed(v2("cpu.stat") ?? "", "usage_usec") : Number(cpu) / 1000,
    memoryBytes: used === undefined ? undefined : Math.max(0, used - cached),
    memoryLimitBytes: limit(v1("memory", "memory.limit_in_bytes") ?? v2("memory.max")),
    pids: number(v1("pids", "pids.current") ?? v2("pids.current")),
    pidsLimit: limit(v1("pids", "pids.max") ?? v2("pids.max")),
    ...io,
  });
}

function file(controller: string, path: string, name: string): string {
  return `${CGROUP_ROOT}${controller === "" ? "" : `/${controller}`}${path}/${name}`;
}

function text(files: Files, path: string): string | undefined {
  const found = files.get(path);
  return typeof found === "string" ? found.trim() : undefined;
}

function number(value: string | undefined): number | undefined {
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

function limit(value: string | undefined): number | undefined {
  const found = number(value);
  return found !== undefined && found < NO_LIMIT ? found : undefined;
}

function keyed(stat: string, key: string): number | undefined {
  return number(new RegExp(`^${key} (\\d+)$`, "m").exec(stat)?.[1]);
}

function ioOf(
  v1: string | undefined,
  v2: string | undefined,
): Pick<Usage, "readBytes" | "writtenBytes"> {
  if (v1 !== undefined)
    return { readBytes: sum(v1, / Read (\d+)/g), writtenBytes: sum(v1, / Write (\d+)/g) };
  if (v2 !== undefined)
    return { readBytes: sum(v2, / rbytes=(\d+)/g), writtenBytes: sum(v2, / wbytes=(\d+)/g) };
  return {};
}

function sum(stat: string, pattern: RegExp): number {
  return [...stat.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
}

function defined(usage: { readonly [K in keyof Usage]: Usage[K] | undefined }): Usage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
}
