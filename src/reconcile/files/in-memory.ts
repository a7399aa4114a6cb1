import { StowageError } from "../../errors/index.ts";
import type { Host, HostCallOptions } from "../../host/index.ts";

const MOUNTS_FILE = "/proc/self/mountinfo";
const IN_MEMORY = new Set(["tmpfs", "ramfs"]);
const OPTIONS = "mode=0700,nosuid,nodev,noexec";

/**
 * Makes a directory in the host's memory: where its place is there already, as /run mostly is, it is an
 * ordinary one; else a tmpfs is mounted on it.
 *
 * @throws StowageError `failed_precondition` when none can be mounted
 */
export async function ensureInMemory(
  host: Host,
  path: string,
  options: HostCallOptions,
): Promise<void> {
  if (IN_MEMORY.has(mountOf(await readMounts(host, options), path).type)) return;
  await host.makeDirectory(path, { mode: 0o700 }, options);
  const command = ["mount", "-t", "tmpfs", "-o", OPTIONS, "stw-secrets", path];
  const { exitCode, stderr } = await host.run(command, options);
  if (exitCode === 0) return;
  throw new StowageError(
    `Cannot keep secrets in "${path}": it is not in memory, and no tmpfs can be mounted there (${stderr.trim().slice(0, 200)}); set runDir of the host to a directory on a tmpfs`,
    { code: "failed_precondition", context: { path } },
  );
}

/** Removes a directory that is there and empty, and the tmpfs that was mounted on it. */
export async function removeIfEmpty(
  host: Host,
  path: string,
  options: HostCallOptions,
): Promise<void> {
  const { entries } = await host.snapshot({ list: [path] }, options);
  if (entries.get(path)?.length !== 0) return;
  const mount = mountOf(await readMounts(host, options), path);
  if (mount.point === path) {
    const { exitCode, stderr } = await host.run(["umount", path], options);
    if (exitCode !== 0) {
      throw new StowageError(
        `Cannot unmount the tmpfs at "${path}": ${stderr.trim().slice(0, 200)}; see what uses it, and apply again`,
        { code: "failed_precondition", context: { path } },
      );
    }
  }
  await host.removeDirectory(path, options);
}

interface Mount {
  readonly point: string;
  readonly type: string;
}

async function readMounts(host: Host, options: HostCallOptions): Promise<readonly Mount[]> {
  const { files } = await host.snapshot({ files: [MOUNTS_FILE] }, options);
  const text = files.get(MOUNTS_FILE);
  if (typeof text !== "string") {
    throw new StowageError(
      `Cannot tell which directories are in memory: ${text?.message ?? `there is no ${MOUNTS_FILE}`}; the host has to be Linux`,
      { code: "failed_precondition" },
    );
  }
  return text.split("\n").flatMap((line): Mount[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [point, type] = [before.split(" ")[4], after.split(" ")[0]];
    return point === undefined || type === undefined ? [] : [{ point: unescaped(point), type }];
  });
}

/** The mount that a path lies on: the innermost, and of several at one point the last. */
function mountOf(mounts: readonly Mount[], path: string): Mount {
  let found: Mount = { point: "/", type: "" };
  for (const mount of mounts) {
    const { point } = mount;
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    if (holds && point.length >= found.point.length) found = mount;
  }
  return found;
}

/** Blanks and the like are in octal there. */
function unescaped(point: string): string {
  return point.replaceAll(/\\([0-7]{3})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 8)),
  );
}
