import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  findPrivateContainerd,
  startPrivateContainerd,
  stopPrivateContainerd,
} from "../../scripts/lib/private-containerd.ts";
import { endProcess, listProcesses } from "../../scripts/lib/process-table.ts";
import { findOnPath } from "../../src/internal/index.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";

describeWithEngine("containerd", "a private containerd", () => {
  test("is used again while it lives, and leaves nothing behind when stopped", async () => {
    const dir = newFolder();
    const first = await startPrivateContainerd({ dir });
    expect(await startPrivateContainerd({ dir })).toEqual({ ...first, started: false });
    runSleeper(first.address);
    await stopPrivateContainerd(dir);
    expect(traces(dir)).toEqual([]);
    expect(findPrivateContainerd(dir)).toBeUndefined();
    await expect(stopPrivateContainerd(dir)).resolves.toBeUndefined();
  });

  test("leaves nothing behind either after its daemon was killed", async () => {
    const dir = newFolder();
    const { address, pid } = await startPrivateContainerd({ dir });
    runSleeper(address);
    process.kill(pid, "SIGKILL");
    await endProcess(pid, 0);
    expect(traces(dir)).not.toEqual([]);
    await stopPrivateContainerd(dir);
    expect(traces(dir)).toEqual([]);
  });

  test("whose socket's path would be too long is refused, and nothing is made", async () => {
    const dir = join(tmpdir(), "x".repeat(100));
    await expect(startPrivateContainerd({ dir })).rejects.toThrow(/path has \d+ bytes/);
    expect(existsSync(dir)).toBe(false);
  });
});

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "stw-priv-"));
  onTestFinished(() => stopPrivateContainerd(dir));
  return dir;
}

/** Runs a container whose name is found in everything that it leaves. */
function runSleeper(address: string): void {
  const dir = join(address, "..");
  const rootfs = join(dir, "rootfs");
  mkdirSync(join(rootfs, "bin"), { recursive: true });
  copyFileSync(findOnPath("busybox") ?? "", join(rootfs, "bin/busybox"));
  const command = ["/bin/busybox", "sleep", "1000"];
  const args = ["run", "-d", "--null-io", "--rootfs", rootfs, namespaceOf(dir), ...command];
  execFileSync("ctr", ["-a", address, "-n", namespaceOf(dir), ...args]);
}

function namespaceOf(dir: string): string {
  return `t-${dir.slice(-6).toLowerCase()}`;
}

/** Everything on this machine that belongs to the daemon of `dir`. */
function traces(dir: string): string[] {
  const namespace = namespaceOf(dir);
  const processes = listProcesses().filter(({ argv }) => argv.join(" ").includes(dir));
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const cgroups = readdirSync("/sys/fs/cgroup").map(
    (name) => `/sys/fs/cgroup/${name}/${namespace}`,
  );
  const files = [dir, `/run/containerd/runc/${namespace}`, ...cgroups];
  return [
    ...processes.map(({ argv }) => argv.join(" ")),
    ...mounts.filter((line) => line.includes(dir)),
    ...files.filter((file) => existsSync(file)),
  ];
}
