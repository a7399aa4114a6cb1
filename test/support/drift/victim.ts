import { readFileSync } from "node:fs";
import { join } from "node:path";
import { privatePodman } from "../../../scripts/lib/private-podman.ts";
import { ContainerdLab } from "../engines/containerd-lab.ts";
import { RktLab } from "../engines/rkt-lab.ts";
import type { MachineFleet } from "../machine-fleet.ts";

/** The one container of a fleet, as it is harmed. */
export interface Victim {
  readonly fleet: MachineFleet;
  /** In the engine. */
  readonly id: string;
  readonly pid: number;
  /** Folder of its engine, where that is a containerd. */
  readonly dir: string;
}

/** Something that is done behind Stowage's back. */
export type Harm = (victim: Victim) => void | Promise<void>;

export function ctr({ fleet }: Victim, ...args: readonly string[]): string {
  const [lab] = fleet.labs;
  if (!(lab instanceof ContainerdLab)) throw new Error("not on containerd");
  return lab.ctr(...args);
}

export function podman({ fleet }: Victim, ...args: readonly string[]): string {
  const { engine } = fleet.host;
  return privatePodman(join(fleet.folder, "podman"), String(engine["program"])).run(...args);
}

export function rkt({ fleet }: Victim, ...args: readonly string[]): string {
  const [lab] = fleet.labs;
  if (!(lab instanceof RktLab)) throw new Error("not on rkt");
  return lab.rkt(...args);
}

/** A file of a process's cgroup, by its name in version 1 and in version 2. */
export function cgroupFile(pid: number, controller: string, v1: string, v2: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const path = (of: string) => lines.find((line) => line.split(":")[1] === of)?.split(":")[2];
  const folder = path(controller);
  return folder === undefined
    ? `/sys/fs/cgroup${path("")}${v2}`
    : `/sys/fs/cgroup/${controller}${folder}${v1}`;
}
