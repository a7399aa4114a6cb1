import { type HostReader, statFields } from "../../host/index.ts";
import {
  type CgroupPaths,
  type Counted,
  ownCgroups,
  parseCgroups,
  processesFile,
  type Usage,
  uncounted,
  usageFiles,
  usageOf,
} from "./cgroup-usage.ts";

/** Ticks a second in what Linux tells programs. */
const TICKS = 100;
/** Places of the times of a process, and of children that it saw end, after its name in /proc/PID/stat. */
const TIMES = [11, 12, 13, 14];

/** What a container uses at one moment. */
export interface Stats extends Usage {
  /** Bytes that came into its network and went out; absent in the host's own. */
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  /** Numbers that are absent as the kernel counts them together with those of processes outside of the container. */
  readonly shared?: readonly Counted[];
}

/** A container's cgroups: all that its first process is in, and those that count nothing else. */
export interface ContainerCgroups {
  readonly all: CgroupPaths;
  readonly own: CgroupPaths;
}

/** What all of a host's containers use at one moment. */
export interface StatsSample {
  /** On the host's clock, which only means something against itself. */
  readonly atMs: number;
  readonly stats: ReadonlyMap<number, Stats>;
}

/** A container to look at. */
export interface StatsTarget {
  /** Its first process. */
  readonly pid: number;
  /** It has a network of its own. */
  readonly hasNetwork: boolean;
}

/**
 * Which cgroups the processes of a host are in; those that are gone are left out. A cgroup that a container shares
 * with what watches over it, with who looks, or with another container is not its own.
 */
export async function findCgroups(
  host: HostReader,
  targets: readonly StatsTarget[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, ContainerCgroups>> {
  const pids = targets.map(({ pid }) => pid);
  const files = pids.flatMap((pid) => [cgroupFile(pid), `/proc/${pid}/stat`]);
  const first = (await host.snapshot({ files: [...files, cgroupFile("self")] }, { signal })).files;
  const parents = new Map(pids.map((pid) => [pid, parentIn(first.get(`/proc/${pid}/stat`))]));
  const more = [...new Set(parents.values())].flatMap((pid) => (pid ? [cgroupFile(pid)] : []));
  const second = (await host.snapshot({ files: more }, { signal })).files;
  const paths = new Map(
    [...first, ...second].flatMap(([file, text]): [string, CgroupPaths][] =>
      typeof text === "string" && file.endsWith("/cgroup") ? [[file, parseCgroups(text)]] : [],
    ),
  );
  return new Map(
    pids.flatMap((pid): [number, ContainerCgroups][] => {
      const all = paths.get(cgroupFile(pid));
      const outside = ["self", parents.get(pid), ...pids.filter((other) => other !== pid)];
      const others = outside.flatMap((other) => paths.get(cgroupFile(other)) ?? []);
      return all === undefined ? [] : [[pid, { all, own: ownCgroups(all, others) }]];
    }),
  );
}

/** What containers use now, from what the kernel counts: one look at the host for all of them, on every engine. */
export async function readStats(
  host: HostReader,
  targets: readonly StatsTarget[],
  cgroups: ReadonlyMap<number, ContainerCgroups>,
  signal: AbortSignal,
): Promise<StatsSample> {
  const owned = [...cgroups.values()].map(({ own }) => own);
  const networks = targets.flatMap(({ pid, hasNetwork }) =>
    hasNetwork ? [`/proc/${pid}/net/dev`] : [],
  );
  const lists = owned.flatMap((paths) => processesFile(paths) ?? []);
  const files = [...owned.flatMap(usageFiles), ...networks, ...lists];
  const { files: found, monotonicMs } = await host.snapshot({ files }, { signal });
  const times = await processTimes(host, lists, found, signal);
  const stats = targets.flatMap(({ pid }): [number, Stats][] => {
    const container = cgroups.get(pid);
    if (container === undefined) return [];
    const { all, own } = container;
    const cpuUs = times.get(processesFile(own) ?? "");
    const usage = { ...usageOf(own, found), ...(cpuUs === undefined ? {} : { cpuUs }) };
    const shared = uncounted(all, own).filter((number) => usage[number] === undefined);
    const network = trafficOf(found.get(`/proc/${pid}/net/dev`));
    return [[pid, { ...usage, ...network, ...(shared.length === 0 ? {} : { shared }) }]];
  });
  return { atMs: monotonicMs, stats: new Map(stats) };
}

/** Time that the processes of cgroups took, where no cgroup counts it. */
async function processTimes(
  host: HostReader,
  lists: readonly string[],
  files: ReadonlyMap<string, string | Error>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  if (lists.length === 0) return new Map();
  const pids = new Map(lists.map((path) => [path, pidsIn(files.get(path))]));
  const all = [...pids.values()].flat().map((pid) => `/proc/${pid}/stat`);
  const { files: stats } = await host.snapshot({ files: all }, { signal });
  return new Map(
    [...pids].map(([path, own]) => [
      path,
      own.reduce((total, pid) => total + timeOf(stats.get(`/proc/${pid}/stat`)), 0),
    ]),
  );
}

function cgroupFile(pid: number | string | undefined): string {
  return `/proc/${pid}/cgroup`;
}

/** The process above one; undefined where that is gone, or above all. */
function parentIn(stat: string | Error | undefined): number | undefined {
  return typeof stat === "string" ? Number(statFields(stat)[1]) || undefined : undefined;
}

function pidsIn(text: string | Error | undefined): readonly string[] {
  return typeof text === "string" ? text.split("\n").filter((line) => /^\d+$/.test(line)) : [];
}

function timeOf(stat: string | Error | undefined): number {
  if (typeof stat !== "string") return 0;
  const fields = statFields(stat);
  return TIMES.reduce((total, at) => total + (Number(fields[at]) / TICKS) * 1e6, 0);
}

function trafficOf(text: string | Error | undefined): Pick<Stats, "receivedBytes" | "sentBytes"> {
  if (typeof text !== "string") return {};
  const rows = text
    .split("\n")
    .map((line) => /^\s*([^:\s]+):\s*(.*)$/.exec(line))
    .filter((row) => row !== null && row[1] !== "lo");
  const column = (at: number): number =>
    rows.reduce((total, row) => total + Number(row?.[2]?.split(/\s+/)[at] ?? 0), 0);
  return { receivedBytes: column(0), sentBytes: column(8) };
}
