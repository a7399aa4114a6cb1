import { setTimeout as delay } from "node:timers/promises";
import { StowageError } from "../../../errors/index.ts";
import type { RktContext } from "../context.ts";
import { cgroupHome } from "../run/cgroup-home.ts";
import { cgroupDirs, processDir, supervisorDir } from "../run/cgroups.ts";
import { quoteAll } from "../run/quote.ts";

const KILL_TRIES = 500;

/**
 * Kills all processes of containers, those whose supervisor is gone as well, and waits until none is
 * left.
 *
 * @param supervisors whether what supervises them is ended too; else it records their end
 */
export async function killProcesses(
  context: RktContext,
  apps: readonly string[],
  { supervisors }: { readonly supervisors: boolean },
): Promise<void> {
  if (apps.length === 0) return;
  const home = await cgroupHome(context, undefined);
  const dirs = apps.flatMap((app) => [
    ...(supervisors ? [supervisorDir(home, app)] : []),
    processDir(home, app),
  ]);
  const script = `n=0
while [ $n -lt ${KILL_TRIES} ]; do
  p=$(for d; do cat $d/cgroup.procs $d/*/cgroup.procs; done 2>/dev/null)
  [ -z "$p" ] && exit 0
  kill -9 $p 2>/dev/null
  n=$((n + 1))
  sleep 0.02
done
exit 1`;
  const { exitCode } = await context.host.run(["sh", "-c", script, "sh", ...dirs]);
  if (exitCode === 0) return;
  throw new StowageError(
    `Cannot end the processes of "${apps.join('", "')}": they do not die; check /proc/PID/stack to see what they wait for`,
    { code: "failed_precondition", context: { apps: apps.join(",") } },
  );
}

/**
 * Removes the cgroups of containers without processes, and the folder that they are in when they were the last
 * ones: that of all, or of a unit where systemd leaves it, as it does with cpusets; absent: nothing happens.
 */
export async function removeCgroups(context: RktContext, apps: readonly string[]): Promise<void> {
  if (apps.length === 0) return;
  const home = await cgroupHome(context, undefined);
  const dirs = apps.flatMap((app) => [...cgroupDirs(home, app), supervisorDir(home, app)]);
  const script = `for d in ${quoteAll(dirs)}; do
  if [ -d $d ]; then
    for e in $d/*/; do rmdir $e; done
    rmdir $d || { sleep 0.05; rmdir $d; }
  fi
  rmdir \${d%/*}
done 2>/dev/null
exit 0`;
  await context.host.run(["sh", "-c", script]);
}

/** Asks again after a while that grows. @throws the signal's own reason */
export async function pause(round: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(Math.min(5 * 1.4 ** round, 50), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
