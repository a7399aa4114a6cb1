import type { HostReader } from "./host.ts";
import { startTicks } from "./process-stat.ts";

/** The first process of a container, and how the kernel tells that it is that. */
export interface MainProcess {
  readonly pid: number;
  /** Ticks at which it began, which distinguish it from another one with its number; absent: not known yet. */
  readonly startedAt?: string | undefined;
  /** What the path of its cgroup, and of no other container's, has in it. */
  readonly cgroup: string;
  /** Where that cgroup may be below the root of a hierarchy; patterns are possible. */
  readonly cgroupPaths: readonly string[];
}

/**
 * Those of the processes that run on, by one look at the kernel: neither ended nor paused, and no other process
 * by now. What an engine believes is not asked for.
 *
 * @returns when each began, in ticks, by its number
 */
export async function runningOn(
  host: HostReader,
  processes: readonly MainProcess[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, string>> {
  if (processes.length === 0) return new Map();
  const paths = processes.flatMap(({ pid, cgroupPaths }) => [
    `/proc/${pid}/stat`,
    `/proc/${pid}/cgroup`,
    ...cgroupPaths.flatMap(freezerFiles),
  ]);
  const { files } = await host.snapshot({ files: paths }, signal === undefined ? {} : { signal });
  const frozen = [...files].flatMap(([path, text]) => (isFrozen(path, text) ? [path] : []));
  const found = processes.flatMap(({ pid, startedAt, cgroup }): [number, string][] => {
    const began = startTicks(String(files.get(`/proc/${pid}/stat`) ?? ""));
    if (began === undefined || began !== (startedAt ?? began)) return [];
    const cgroups = String(files.get(`/proc/${pid}/cgroup`) ?? "").split("\n");
    const isIn = (path: string): boolean => names(path, cgroup);
    return cgroups.some(isIn) && !frozen.some(isIn) ? [[pid, began]] : [];
  });
  return new Map(found);
}

/** Of version 2 and of version 1. */
function freezerFiles(path: string): readonly string[] {
  return [`/sys/fs/cgroup/${path}/cgroup.freeze`, `/sys/fs/cgroup/freezer/${path}/freezer.state`];
}

function isFrozen(path: string, text: string | Error): boolean {
  return (
    /\/(?:cgroup\.freeze|freezer\.state)$/.test(path) &&
    typeof text === "string" &&
    !/^(?:0|THAWED)?$/.test(text.trim())
  );
}

/** Whether a path has a name in it that does not go on: another one may begin with it. */
function names(path: string, name: string): boolean {
  const at = path.indexOf(name);
  return at >= 0 && !/^[\w-]/.test(path.slice(at + name.length));
}
