import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";

const MOUNTS = "/proc/self/mountinfo";

/** Whether a network namespace is mounted on a file. */
export async function isPinned(host: Host, path: string): Promise<boolean> {
  const { files } = await host.snapshot({ files: [MOUNTS] });
  return isMounted(files.get(MOUNTS), path);
}

/** Whether something is mounted on a path, by a text of /proc/self/mountinfo. */
export function isMounted(mountinfo: string | Error | undefined, path: string): boolean {
  if (typeof mountinfo !== "string") return false;
  const escaped = path.replaceAll(
    /[ \t\n\\]/g,
    (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return mountinfo.split("\n").some((line) => line.split(" ")[4] === escaped);
}

/**
 * Keeps the network namespace of a process by mounting it on a file, so that it outlives the process
 * and others can join it. The runtime that made it has brought its loopback up.
 */
export async function pinNetworkNamespace(host: Host, path: string, pid: number): Promise<void> {
  const script = [
    "set -e; umask 077",
    `mkdir -p "\${1%/*}"`,
    ': >>"$1"',
    'mount --bind "/proc/$2/ns/net" "$1"',
  ].join("\n");
  const { exitCode, stderr } = await host.run(["sh", "-c", script, "sh", path, String(pid)]);
  if (exitCode === 0) return;
  throw new StowageError(`Cannot keep network namespace "${path}": ${stderr.trim()}`, {
    code: "failed_precondition",
    context: { path },
  });
}

/** Lets go of a network namespace and removes its file; absent: nothing happens. */
export async function unpinNetworkNamespace(host: Host, path: string): Promise<void> {
  const { existing } = await host.snapshot({ exist: [path] });
  if (!existing.has(path)) return;
  // once for each time that it was mounted
  const script = 'while umount "$1" 2>/dev/null; do :; done; rm -f "$1"';
  const { exitCode, stderr } = await host.run(["sh", "-c", script, "sh", path]);
  if (exitCode === 0) return;
  throw new StowageError(`Cannot remove network namespace "${path}": ${stderr.trim()}`, {
    code: "failed_precondition",
    context: { path },
  });
}
