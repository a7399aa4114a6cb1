import type { ContainerState } from "../../../model/index.ts";
import { appName } from "../layout.ts";
import type { RktPod, SeenPod, SeenPods } from "./read-pods.ts";

/** How a container stands, and how it ended where it did. */
export interface ContainerStanding {
  readonly state: ContainerState;
  readonly pid?: number;
  readonly exitCode?: number;
  readonly exitedAt?: string;
  /** Why its start failed, in the supervisor's words. */
  readonly message?: string;
  /** The pod of rkt's that it is, where that is there. */
  readonly rktPod?: RktPod;
}

/** Folders of rkt's in which a pod that does not run has ended. */
const ENDED: readonly string[] = ["run", "exited-garbage", "garbage"];

const EXIT = /^(\d+|-) (\S+) ?(.*)$/s;

/**
 * The state of a container by what the kernel says of its cgroup and what its supervisor wrote. rkt is
 * not asked: it calls a pod exited whose processes outlived their supervisor, and forgets the exit code of
 * one that was stopped.
 */
export function standingOf(seen: SeenPods, pod: SeenPod, container: string): ContainerStanding {
  const app = appName(pod.identity, container);
  const uuid = pod.file?.containers[container]?.uuid;
  const rktPod = seen.rktPods.find((each) => each.uuid === uuid);
  const more = rktPod === undefined ? {} : { rktPod };
  const processes = seen.processes.get(app) ?? [];
  const pid = pod.pids.get(container);
  const exit = EXIT.exec(pod.exits.get(container)?.trim() ?? "");
  if (processes.length > 0) {
    // the process of the last start may be gone while others of it go on
    const own = pid !== undefined && processes.includes(pid) ? pid : Math.min(...processes);
    return { state: "running", pid: own, ...more };
  }
  if (exit !== null) return { state: "exited", ...endOf(exit), ...more };
  // its end is being written
  if (pid !== undefined && seen.supervised.has(app)) return { state: "running", ...more };
  if (pid !== undefined) return { state: "exited", ...more };
  return { state: restingState(rktPod), ...more };
}

/** The state of a pod that does not run and left no record of its end. */
function restingState(rktPod: RktPod | undefined): ContainerState {
  if (rktPod === undefined || rktPod.phase === "prepare") return "missing";
  if (rktPod.phase === "prepared") return "prepared";
  // it ran, or was about to, when its host went down
  return ENDED.includes(rktPod.phase) ? "exited" : "unknown";
}

function endOf([, code = "-", at = "", message = ""]: RegExpExecArray): Partial<ContainerStanding> {
  return {
    ...(code === "-" ? {} : { exitCode: Number(code) }),
    ...(Number.isNaN(Date.parse(at)) ? {} : { exitedAt: new Date(at).toISOString() }),
    ...(message === "" ? {} : { message }),
  };
}
