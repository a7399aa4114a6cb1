import { type HostReader, statFields } from "../../host/index.ts";
import {
  type CgroupPaths,
  parseCgroups,
  processesFile,
  type Usage,
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

/** Which cgroups the processes of a host are in, in one look; those that are gone are left out. */
export async function findCgroups(
  host: HostReader,
  targets: readonly StatsTarget[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, CgroupPaths>> {
  const files = targets.map(({ pid }) => `/proc/${pid}/cgroup`);
  const { files: found } = await host.snapshot({ files }, { signal });
  return new Map(
    targets.flatMap(({ pid }): [number, CgroupPaths][] => {
      const text = found.get(`/proc/${pid}/cgroup`);
      return typeof text === "string" ? [[pid, parseCgroups(text)]] : [];
    }),
  );
}

/** What containers use now, from what the kernel counts: one look at the host for all of them, on every engine. */
export async function readStats(
  host: HostReader,
  targets: readonly StatsTarget[],
  cgroups: ReadonlyMap<number, CgroupPaths>,
  signal: AbortSignal,
): Promise<StatsSample> {
  const networks = targets.flatMap(({ pid, hasNetwork }) =>
    hasNetwork ? [`/proc/${pid}/net/dev`] : [],
  );
  const lists = [...cgroups.values()].flatMap((paths) => processesFile(paths) ?? []);
  const files = [...[...cgroups.values()].flatMap(usageFiles), ...networks, ...lists];
  const { files: found, monotonicMs } = await host.snapshot({ files }, { signal });
  const times = await processTimes(host, lists, found, signal);
  const stats = targets.flatMap(({ pid }): [number, Stats][] => {
    const paths = cgroups.get(pid);
    if (paths === undefined) return [];
    const cpuUs = times.get(processesFile(paths) ?? "");
    const network = trafficOf(found.get(`/proc/${pid}/net/dev`));
    return [
      [pid, { ...usageOf(paths, found), ...(cpuUs === undefined ? {} : { cpuUs }), ...network }],
    ];
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
