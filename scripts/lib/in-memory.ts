import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { runCommand } from "./run-command.ts";

/** Says to a script that its temporary files are in memory already; `disk` keeps them where they are. */
const VARIABLE = "STOWAGE_TEST_TMP";
const FOLDER = "/tmp";
/** Where the new one is put together. */
const STAGE = "/mnt";
const UNSHARE = ["--mount", "--propagation", "private"];
/** Of memory that is free: tests write some of it full, and engines run beside. */
const LEAST_BYTES = 12 * 1024 ** 3;

/**
 * Mounts of its own, with an empty folder for temporary files in memory, and in that the paths that are
 * needed of the one on disk. It is gone with the last process in there, after a kill too.
 */
const ENTER = `mount -t tmpfs -o mode=1777 tmpfs ${STAGE} || exit
while [ "$1" != -- ]; do
  mkdir -p "${STAGE}/\${1#${FOLDER}/}" && mount --bind "$1" "${STAGE}/\${1#${FOLDER}/}" || exit
  shift
done
shift
mount --move ${STAGE} ${FOLDER} || exit
exec "$@"`;

/** Why temporary files of tests stay on disk; undefined where they need not. */
export function whyOnDisk(
  env: NodeJS.ProcessEnv = process.env,
  meminfo: string = readFileSync("/proc/meminfo", "utf8"),
): string | undefined {
  if (env[VARIABLE] !== undefined) return `${VARIABLE} is ${env[VARIABLE]}`;
  if (env["TMPDIR"] !== undefined) return "TMPDIR is set";
  if (process.getuid?.() !== 0) return "this is not root";
  if (process.execPath.startsWith(`${FOLDER}/`)) return "node is among them";
  const free = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024;
  if (free < LEAST_BYTES) return "too little memory is free";
  // root of a container may not
  const tried = spawnSync("unshare", [...UNSHARE, "mount", "-t", "tmpfs", "tmpfs", STAGE]);
  return tried.status === 0 ? undefined : "nothing can be mounted here";
}

/**
 * Runs a script of this project again, with its temporary files in memory: engines write and sync there all the time.
 *
 * @param needed folders that it needs, be they among the temporary ones
 * @returns its exit code
 */
export async function runInMemory(
  [script = "", ...args]: readonly string[],
  needed: readonly string[],
): Promise<number> {
  const kept = needed.filter((path) => path.startsWith(`${FOLDER}/`));
  const node = [process.execPath, ...process.execArgv, script, ...args];
  const flags = [...UNSHARE, "sh", "-c", ENTER, "sh", ...kept, "--"];
  const { exitCode } = await runCommand("unshare", [...flags, ...node], {
    env: { [VARIABLE]: "memory" },
  });
  return exitCode;
}
