import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { findOnPath } from "../../src/internal/index.ts";

/** What the figures of a run hold for. */
export interface MachineDescription {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly system: string;
  readonly node: string;
  readonly containerd: string | undefined;
  readonly runc: string | undefined;
  readonly podman: string | undefined;
  /** Of the minute before the run: above the number of cores, others were at work. */
  readonly loadAverage: number;
}

/** Describes this machine and the programs that are measured. */
export function describeMachine(): MachineDescription {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    system: systemName(),
    node: process.version,
    containerd: versionOf("containerd", /\s(\d+\.\d+\.\d+\S*)/),
    runc: versionOf("runc", /version (\S+)/),
    podman: versionOf("podman", /version (\S+)/),
    loadAverage: loadavg()[0] ?? 0,
  };
}

/** The same in two lines. */
export function machineLines(machine: MachineDescription): readonly string[] {
  const { cpu, cores, memoryBytes, kernel, system, node, containerd, runc, podman, loadAverage } =
    machine;
  const gibibytes = (memoryBytes / 2 ** 30).toFixed(0);
  return [
    `machine   ${cores} x ${cpu}, ${gibibytes} GiB, ${system}, kernel ${kernel}, load ${loadAverage.toFixed(1)}`,
    `versions  node ${node}, containerd ${containerd ?? "(none)"}, runc ${runc ?? "(none)"}, podman ${podman ?? "(none)"}`,
  ];
}

function systemName(): string {
  try {
    return (
      /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ??
      process.platform
    );
  } catch {
    return process.platform;
  }
}

function versionOf(program: string, pattern: RegExp): string | undefined {
  const path = findOnPath(program);
  if (path === undefined) return undefined;
  return pattern.exec(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout)?.[1];
}
