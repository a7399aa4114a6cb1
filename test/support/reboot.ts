import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { mountsBelow } from "../../scripts/lib/private-podman.ts";
import type { ContainerdLab } from "./engines/containerd-lab.ts";
import type { EngineLab } from "./engines/engine-lab.ts";
import type { NetworkMachine } from "./network-machine.ts";

/**
 * Does to a fleet what a reboot does: every process of its pods is killed, what was in memory is empty,
 * and of networks nothing is left.
 */
export async function reboot(
  lab: EngineLab,
  folder: string,
  machine: NetworkMachine,
): Promise<void> {
  if (lab.kind === "containerd") endTasks(lab as ContainerdLab);
  else await endProcesses(`${folder}/`);
  // innermost first; what rkt mounts is in mounts of its own, and gone with its processes
  for (const name of [`${folder}/run`, `${folder}/podman`])
    for (const mount of mountsBelow(name).toReversed()) execFileSync("umount", [mount]);
  for (const path of [`${folder}/run`, `${folder}/podman/runroot`, `${folder}/podman/tmp`])
    rmSync(path, { recursive: true, force: true });
  machine.sh(`
for link in $(ip -o link show | sed -n 's/^[0-9]*: \\(stw-[^:@]*\\).*/\\1/p'); do ip link del "$link" || ! ip link show "$link"; done
for table in nat filter; do iptables -t $table -F; iptables -t $table -X; done
echo 0 >/proc/sys/net/ipv4/ip_forward`);
}

function endTasks(lab: ContainerdLab): void {
  for (const id of lab.ctr("tasks", "ls", "-q").split("\n").filter(Boolean))
    lab.ctr("tasks", "rm", "-f", id);
}

/** Kills what has a folder in its command line, and all that came from it: until nothing is left. */
async function endProcesses(folder: string): Promise<void> {
  for (;;) {
    const table = processTable();
    const doomed = new Set(table.filter(({ argv }) => argv.includes(folder)).map(({ pid }) => pid));
    for (let before = -1; before !== doomed.size; ) {
      before = doomed.size;
      for (const { pid, parent } of table) if (doomed.has(parent)) doomed.add(pid);
    }
    doomed.delete(process.pid);
    if (doomed.size === 0) return;
    for (const pid of doomed) spawnSync("kill", ["-9", String(pid)]);
    await delay(20);
  }
}

function processTable(): readonly {
  readonly pid: number;
  readonly parent: number;
  readonly argv: string;
}[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const file = (kind: string) => join("/proc", name, kind);
      try {
        const argv = readFileSync(file("cmdline"), "utf8").replaceAll("\0", " ");
        const stat = readFileSync(file("stat"), "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return existsSync(file("exe")) ? [{ pid: Number(name), parent, argv }] : [];
      } catch {
        return [];
      }
    });
}
