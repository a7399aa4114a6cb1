import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { findOnPath } from "../../src/internal/index.ts";
import type { PrivateContainerdPaths } from "./private-containerd-config.ts";
import { endProcess, listProcesses } from "./process-table.ts";
import { runCommand } from "./run-command.ts";

/** Shared by all daemons of a machine: neither lies under a daemon's own `state`. */
const RUNC_ROOT = "/run/containerd/runc";
const SHIM_SOCKETS = "/run/containerd/s";
const CGROUPS = "/sys/fs/cgroup";

/** Below a daemon's state: `<namespace>/<id>` of each task's bundle, in every version from 1.6 to 2.x. */
const TASKS = "io.containerd.runtime.v2.task";

interface TaskName {
  readonly namespace: string;
  readonly id: string;
}

/**
 * Removes all that the dead daemon of these paths left running or mounted: containers, shims, their
 * sockets, and mounts. Only its own: shims are known by the `-address` of their argv, containers by
 * the bundles in its state folder.
 */
export async function removeContainerdLeftovers(paths: PrivateContainerdPaths): Promise<void> {
  const shims = listProcesses().filter(({ argv }) => isShimOf(argv, paths.address));
  const tasks = uniqueTasks([
    ...shims.map(({ argv }) => ({
      namespace: flagValue(argv, "-namespace"),
      id: flagValue(argv, "-id"),
    })),
    ...bundles(paths.state),
  ]);
  for (const task of tasks) await deleteContainer(task);
  for (const { pid } of shims) await endProcess(pid, 0);
  for (const task of tasks) removeShimSockets(paths.address, task);
  for (const mountPoint of mountPointsBelow([paths.root, paths.state])) {
    await runCommand("umount", ["--lazy", mountPoint], { output: "capture" });
  }
  for (const namespace of namesIn(join(paths.state, TASKS))) {
    removeIfEmpty(join(RUNC_ROOT, namespace));
    for (const folder of cgroupRoots()) removeIfEmpty(join(folder, namespace));
  }
}

/** The unified hierarchy, and on version 1 each controller's own. */
function cgroupRoots(): string[] {
  return [CGROUPS, ...namesIn(CGROUPS).map((name) => join(CGROUPS, name))];
}

function isShimOf(argv: readonly string[], address: string): boolean {
  const isShim = basename(argv[0] ?? "").startsWith("containerd-shim");
  return isShim && flagValue(argv, "-address") === address;
}

function flagValue(argv: readonly string[], flag: string): string {
  const index = argv.indexOf(flag);
  return index < 0 ? "" : (argv[index + 1] ?? "");
}

function bundles(state: string): TaskName[] {
  const root = join(state, TASKS);
  return namesIn(root).flatMap((namespace) =>
    namesIn(join(root, namespace)).map((id) => ({ namespace, id })),
  );
}

function uniqueTasks(tasks: readonly TaskName[]): TaskName[] {
  const named = tasks.filter(({ namespace, id }) => namespace !== "" && id !== "");
  return [...new Map(named.map((task) => [`${task.namespace}/${task.id}`, task])).values()];
}

async function deleteContainer({ namespace, id }: TaskName): Promise<void> {
  const root = join(RUNC_ROOT, namespace);
  const runc = findOnPath("runc");
  if (runc === undefined || !namesIn(root).includes(id)) return;
  await runCommand(runc, ["--root", root, "delete", "--force", id], { output: "capture" });
}

/** A shim's socket is named by a digest of where it belongs (containerd's runtime/v2/shim SocketAddress). */
function removeShimSockets(address: string, { namespace, id }: TaskName): void {
  for (const suffix of ["", "-debug"]) {
    const digest = createHash("sha256").update(join(`${address}${suffix}`, namespace, id));
    rmSync(join(SHIM_SOCKETS, digest.digest("hex")), { force: true });
  }
}

/** Mount points at or below the folders, the deepest first. */
function mountPointsBelow(folders: readonly string[]): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => unescapeOctal(line.split(" ")[4] ?? ""))
    .filter((point) => folders.some((folder) => `${point}/`.startsWith(`${folder}/`)))
    .toReversed();
}

/** Spaces and the like are written as `\040` there (proc_pid_mountinfo(5)). */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A cgroup always holds files, and goes all the same when no process and no child is in it. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // not there, or in use by another daemon: neither is ours to mend
  }
}
