import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { removeContainerdLeftovers } from "../../../scripts/lib/containerd-leftovers.ts";
import {
  findPrivateContainerd,
  restartPrivateContainerd,
  startPrivateContainerd,
} from "../../../scripts/lib/private-containerd.ts";
import { privateContainerdPaths } from "../../../scripts/lib/private-containerd-config.ts";
import { endProcess, sendSignal } from "../../../scripts/lib/process-table.ts";
import { killShim } from "../kill-shim.ts";
import { reboot } from "../reboot.ts";
import { cgroupFile, ctr, podman, rkt, type Victim } from "./victim.ts";

const MEBIBYTE = 1024 * 1024;
/** What the limit is harmed to be. */
const HARMED_BYTES = String(48 * MEBIBYTE);

export async function killProcess({ pid }: Victim): Promise<void> {
  sendSignal(pid, "SIGKILL");
  await expect
    .poll(() => existsSync(`/proc/${pid}/exe`), { interval: 20, timeout: 30_000 })
    .toBe(false);
}

export function writeLimit({ pid }: Victim): void {
  writeFileSync(cgroupFile(pid, "memory", "/memory.limit_in_bytes", "/memory.max"), HARMED_BYTES);
}

export function deleteVolume({ fleet }: Victim): void {
  const path = join(fleet.host.stateDir, "owner-1/shop/.volumes/data");
  expect(existsSync(path)).toBe(true);
  rmSync(path, { recursive: true });
}

export function deleteNamespace({ fleet }: Victim): void {
  const found = fleet.machine.sh(`find ${fleet.host.runDir}/networks -path '*/netns/*'`);
  const [file, ...more] = found.split("\n").filter(Boolean);
  expect(more).toEqual([]);
  execFileSync("umount", [String(file)]);
  rmSync(String(file));
}

export function flushNat({ fleet }: Victim): void {
  fleet.machine.sh("iptables -t nat -F");
}

export const onContainerd = {
  deleteContainer(victim: Victim): void {
    ctr(victim, "tasks", "rm", "-f", victim.id);
    ctr(victim, "containers", "rm", victim.id);
  },
  deleteSnapshot(victim: Victim): void {
    ctr(victim, "tasks", "rm", "-f", victim.id);
    ctr(victim, "snapshots", "rm", victim.id);
  },
  deleteImage(victim: Victim): void {
    ctr(victim, "images", "rm", "--sync", imagesOf(victim)[0]);
  },
  retagImage(victim: Victim): void {
    const [own, other] = imagesOf(victim);
    ctr(victim, "images", "tag", "--force", other, own);
  },
  changeLimit(victim: Victim): void {
    const root = `/run/containerd/runc/${String(victim.fleet.host.engine["namespace"])}`;
    execFileSync("runc", ["--root", root, "update", "--memory", HARMED_BYTES, victim.id]);
  },
  pause(victim: Victim): void {
    ctr(victim, "tasks", "pause", victim.id);
  },
  async restart({ dir }: Victim): Promise<void> {
    await restartPrivateContainerd(dir);
  },
  async killShim(victim: Victim): Promise<void> {
    killShim(String(victim.fleet.host.engine["namespace"]), victim.id);
    await expect
      .poll(() => new RegExp(`^${victim.id} .*RUNNING`, "m").test(ctr(victim, "tasks", "ls")), {
        interval: 20,
        timeout: 30_000,
      })
      .toBe(false);
  },
  async reboot(victim: Victim): Promise<void> {
    const { dir, fleet } = victim;
    await reboot(fleet.labs[0], fleet.folder, fleet.machine);
    const daemon = findPrivateContainerd(dir);
    expect(daemon).toBeDefined();
    sendSignal(daemon?.pid ?? 0, "SIGKILL");
    await endProcess(daemon?.pid ?? 0, 0);
    const paths = privateContainerdPaths(dir);
    await removeContainerdLeftovers(paths);
    rmSync(paths.state, { recursive: true, force: true });
    await startPrivateContainerd({ dir });
  },
};

export const onPodman = {
  deleteContainer(victim: Victim): void {
    podman(victim, "rm", "--force", "--time", "0", victim.id);
  },
  deleteImage(victim: Victim): void {
    podman(victim, "untag", podmanImages(victim)[0]);
  },
  retagImage(victim: Victim): void {
    const [own, other] = podmanImages(victim);
    podman(victim, "tag", other, own);
  },
  changeLimit(victim: Victim): void {
    podman(victim, "update", "--memory", HARMED_BYTES, victim.id);
  },
  pause(victim: Victim): void {
    podman(victim, "pause", victim.id);
  },
  killMonitor(victim: Victim): void {
    const monitor = podman(victim, "inspect", "--format", "{{.State.ConmonPid}}", victim.id);
    expect(sendSignal(Number(monitor), "SIGKILL")).toBe(true);
  },
  reboot: async ({ fleet }: Victim): Promise<void> =>
    await reboot(fleet.labs[0], fleet.folder, fleet.machine),
};

export const onRkt = {
  async deletePod(victim: Victim): Promise<void> {
    await killProcess(victim);
    await expect
      .poll(() => rkt(victim, "status", victim.id), { interval: 50, timeout: 30_000 })
      .toContain("state=exited");
    rkt(victim, "rm", victim.id);
  },
  deleteImage(victim: Victim): void {
    const images = JSON.parse(rkt(victim, "image", "list", "--format=json")) as readonly {
      readonly id: string;
      readonly name: string;
    }[];
    // the names of ours do not say which is whose
    const own = images.filter(({ name }) => !name.includes("stage1"));
    expect(own).toHaveLength(2);
    rkt(victim, "image", "rm", ...own.map(({ id }) => id));
  },
  killSupervisor({ pid }: Victim): void {
    const own = cgroupFile(pid, "pids", "", "");
    const [first] = readFileSync(`${own}.sup/cgroup.procs`, "utf8").split("\n");
    expect(sendSignal(Number(first), "SIGKILL")).toBe(true);
  },
  reboot: onPodman.reboot,
};

/** Names of the two images of the fleet in containerd, the one that the pod has first. */
function imagesOf(victim: Victim): readonly [string, string] {
  return inOrder(ctr(victim, "images", "ls", "-q").split("\n").filter(Boolean).sort());
}

function podmanImages(victim: Victim): readonly [string, string] {
  const own = podman(victim, "inspect", "--format", "{{.Image}}", victim.id).trim();
  const lines = podman(
    victim,
    ...["images", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"],
  )
    .split("\n")
    .filter((line) => line !== "" && !line.includes("podman-pause"));
  const isOwn = (line: string): boolean => line.startsWith(`sha256:${own} `);
  const sorted = [...lines.filter(isOwn), ...lines.filter((line) => !isOwn(line))];
  return inOrder(sorted.map((line) => line.split(" ")[1] ?? ""));
}

function inOrder(names: readonly string[]): readonly [string, string] {
  expect(names).toHaveLength(2);
  return [names[0] ?? "", names[1] ?? ""];
}
