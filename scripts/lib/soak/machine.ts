import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Says to the script that it is within {@link runInMachine}. */
export const INSIDE = "--inside";

/**
 * Mounts, a network and processes of its own, with an empty /run, /dev/shm and folder for temporary files: what
 * is counted in there is the soak's, and all of it is gone with its first process.
 */
const ENTER = `mount --make-rprivate / || exit
for d in /run /dev/shm "$TMPDIR"; do mount -t tmpfs tmpfs "$d" || exit; done
ip link set lo up
"$@"
exit`;

/** Runs a script of this project again in a machine of its own. @returns its exit code */
export async function runInMachine(script: string, argv: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "stw-soak-"));
  const flags = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const node = [process.execPath, ...process.execArgv, "--expose-gc", script, INSIDE, ...argv];
  const child = spawn("unshare", [...flags, "sh", "-c", ENTER, "sh", ...node], {
    env: { ...process.env, TMPDIR: folder },
    stdio: "inherit",
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  rmdirSync(folder);
  return exitCode ?? 1;
}
