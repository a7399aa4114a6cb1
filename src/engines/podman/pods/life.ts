import type { HostReader, HostSnapshot } from "../../../host/index.ts";
import type { InspectedContainer } from "../cli/answers.ts";
import { callOptions } from "../context.ts";
import { processesIn, processLists } from "./cgroup-processes.ts";
import { isForgotten } from "./forgotten.ts";

/** What the kernel says of a container's process, which podman may be wrong about. */
export interface Life {
  /** Whether its process is alive, and the container's. */
  readonly alive: boolean;
  /** Whether the process is still the runtime's, waiting to become the user's. */
  readonly waiting: boolean;
  /** Whether the program that watches it is alive. */
  readonly watched: boolean;
  /** Path of its cgroup. */
  readonly cgroupPath: string;
  /** A process of a container that podman lost sight of; to podman it ended. */
  readonly orphan?: number;
}

const DEAD: Life = { alive: false, waiting: false, watched: false, cgroupPath: "" };

/** Files that tell whether containers live, and where their limits are. */
export function lifeFiles(containers: readonly InspectedContainer[]): readonly string[] {
  return containers.flatMap((container) => [
    ...(isForgotten(container) ? processLists(container.Id, container.Pod || undefined) : []),
    ...processFiles(container),
  ]);
}

function processFiles({ State }: InspectedContainer): readonly string[] {
  return [
    ...(State.Pid > 0
      ? [`/proc/${State.Pid}/cgroup`, `/proc/${State.Pid}/stat`, `/proc/${State.Pid}/cmdline`]
      : []),
    ...(State.ConmonPid > 0 ? [`/proc/${State.ConmonPid}/cmdline`] : []),
  ];
}

/** Reads from a host's files whether a container lives. */
export function lifeOf(container: InspectedContainer, files: HostSnapshot["files"]): Life {
  const { Id, State, OCIRuntime } = container;
  if (isForgotten(container)) {
    const [orphan] = processesIn(Id, files);
    return orphan === undefined ? DEAD : { ...DEAD, orphan };
  }
  const text = (pid: number, name: string): string =>
    pid > 0 ? textOf(files, `/proc/${pid}/${name}`) : "";
  const cgroups = text(State.Pid, "cgroup");
  const watched = text(State.ConmonPid, "cmdline").includes(Id);
  const stat = text(State.Pid, "stat");
  // a number may have come to another process: a container's own is in its cgroup, or where its user may
  // make none, a child of what watches it
  const isOwn =
    (State.CgroupPath === "" ? cgroups !== "" : cgroups.includes(Id)) ||
    (watched && parentOf(stat) === State.ConmonPid);
  if (!isOwn || isZombie(stat)) return { ...DEAD, watched };
  return {
    alive: true,
    waiting: isRuntime(text(State.Pid, "cmdline"), OCIRuntime),
    watched,
    cgroupPath: cgroupPathOf(cgroups, Id),
  };
}

/** Text of a file that was read; empty where it was not. */
export function textOf(files: HostSnapshot["files"], path: string): string {
  const found = files.get(path);
  return typeof found === "string" ? found : "";
}

/** Whether a command line is that of a runtime which has not become the user's program yet. */
export function isRuntime(cmdline: string, runtime = ""): boolean {
  const [program = ""] = cmdline.split("\0");
  const names = [runtime, "runc", "crun", "libcrun"].map((path) =>
    path.slice(path.lastIndexOf("/") + 1),
  );
  const base = program.slice(program.lastIndexOf("/") + 1);
  return names.some((name) => name !== "" && (base === name || program.startsWith(`[${name}`)));
}

/** Parent of a process by its /proc/PID/stat, or 0. */
export function parentOf(stat: string): number {
  return Number(/^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1] ?? 0);
}

function isZombie(stat: string): boolean {
  return /^\d+ \(.*\) [ZX] /s.test(stat);
}

/** Path of a container's cgroup in a process's list of them. */
function cgroupPathOf(cgroups: string, id: string): string {
  const line = cgroups.split("\n").find((each) => each.includes(id)) ?? "";
  const path = line.slice(line.indexOf(":", line.indexOf(":") + 1) + 1);
  // the runtime puts processes one below what it limits
  return path.replace(/\/container$/, "");
}

/** Looks whether containers live. */
export async function readLives(
  host: HostReader,
  containers: readonly InspectedContainer[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Life>> {
  const { files } = await host.snapshot({ files: lifeFiles(containers) }, callOptions(signal));
  return new Map(containers.map((each) => [each.Id, lifeOf(each, files)]));
}

/** Path of the cgroup that a container's limits are in, as podman says, or before it does. */
export function cgroupOf({ Id, State, HostConfig }: InspectedContainer): string {
  if (State.CgroupPath !== "") return State.CgroupPath.replace(/\/container$/, "");
  return `${HostConfig.CgroupParent || "/libpod_parent"}/libpod-${Id}`;
}
