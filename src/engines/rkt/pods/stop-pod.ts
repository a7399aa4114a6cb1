import { STOP_DEFAULTS, type StopOptions, signalNumber } from "../../../engine/index.ts";
import { settleAll } from "../../../internal/index.ts";
import { objectName, type PodIdentity } from "../../../model/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import { appName } from "../layout.ts";
import { cgroupHome } from "../run/cgroup-home.ts";
import { processDir, supervisorDir } from "../run/cgroups.ts";
import { standingOf } from "./container-state.ts";
import { killProcesses, pause } from "./end-processes.ts";
import { releaseExclusive } from "./exclusive.ts";
import type { PodFile } from "./pod-file.ts";
import { readPod } from "./read-pods.ts";

/** Time that a supervisor may take to write down an end that has come. */
const RECORD_MS = 5000;
/** Time after the end of its own process in which a supervisor ends the rest. */
const ORPHANED_MS = 1500;

/**
 * Ends the processes of a generation. rkt is not asked: its stop waits 90 seconds whatever was declared,
 * knows SIGTERM only, fails in the first moments of a pod, and loses exit codes.
 */
export async function stopPod(
  context: RktContext,
  identity: PodIdentity,
  options: StopOptions,
): Promise<void> {
  const name = objectName(identity);
  const { signal } = options;
  const { pod, seen } = await readPod(context, identity, name, [], signal);
  if (pod?.file === undefined) return;
  const file = pod.file;
  signal?.throwIfAborted();
  await settleAll(
    Object.keys(file.containers).map(async (container) => {
      const { state, pid } = standingOf(seen, pod, container);
      if (state === "running")
        await stopContainer(context, { file, name, container, pid }, options);
      else if (state === "prepared") await writeEnd(context, name, container);
    }),
  );
  await releaseExclusive(context, name, file.tmpfs);
}

interface Stopping {
  readonly file: PodFile;
  readonly name: string;
  readonly container: string;
  readonly pid: number | undefined;
}

async function stopContainer(
  context: RktContext,
  stopping: Stopping,
  options: StopOptions,
): Promise<void> {
  const { file, container, pid } = stopping;
  const asked = options.containers?.[container];
  const { gracePeriodMs = STOP_DEFAULTS.gracePeriodMs } = asked ?? {};
  const word = asked?.signal ?? file.containers[container]?.stopSignal ?? STOP_DEFAULTS.signal;
  const number = signalNumber(word);
  const app = appName(file.identity, container);
  options.signal?.throwIfAborted();
  if (gracePeriodMs > 0 && pid !== undefined) {
    await sendSignal(context, app, pid, number);
    if (await hasEnded(context, stopping, gracePeriodMs, options.signal)) return;
  }
  options.signal?.throwIfAborted();
  await killProcesses(context, [app], { supervisors: false });
  if (await hasEnded(context, stopping, RECORD_MS, undefined)) return;
  // its supervisor hangs
  await killProcesses(context, [app], { supervisors: true });
  await writeEnd(context, stopping.name, container);
}

/** Sends a signal to a container's own process, which on the host flavour is a grandchild of rkt's. */
async function sendSignal(
  context: RktContext,
  app: string,
  pid: number,
  number: number,
): Promise<void> {
  const home = await cgroupHome(context, undefined);
  // a process id is only trusted while it is in the container's cgroup
  const own = `grep -qx "$1" ${processDir(home, app)}/cgroup.procs 2>/dev/null || exit 0`;
  const children = (of: string): string => `$(cat /proc/${of}/task/${of}/children 2>/dev/null)`;
  const script =
    context.flavor === "fly"
      ? `${own}; kill -${number} "$1"`
      : `i=${children("$1")}
for p in $(for s in $i; do cat /proc/$s/task/$s/children; done 2>/dev/null); do
  case $(cat /proc/$p/comm) in systemd-journal*) ;; *) kill -${number} $p ;; esac
done`;
  // gone already: what is waited for has happened
  await context.host.run(["sh", "-c", script, "sh", String(pid)]);
}

async function hasEnded(
  context: RktContext,
  { file, name, container, pid }: Stopping,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { host, layout } = context;
  const app = appName(file.identity, container);
  const home = await cgroupHome(context, signal);
  const exit = `${layout.podDir(name)}/${container}.exit`;
  const processes = `${processDir(home, app)}/cgroup.procs`;
  const supervisor = `${supervisorDir(home, app)}/cgroup.procs`;
  const deadline = performance.now() + timeoutMs;
  let ownEnd = Number.POSITIVE_INFINITY;
  for (let round = 0; ; round += 1) {
    const { files, existing } = await host.snapshot(
      { files: [processes, supervisor], exist: [exit] },
      callOptions(signal),
    );
    const [left, supervised] = [pidsIn(files.get(processes)), pidsIn(files.get(supervisor))];
    if (left.length === 0 && existing.has(exit)) return true;
    if (left.length === 0 && supervised.length === 0) {
      // its supervisor is gone: nobody else will say that it ended
      await writeEnd(context, name, container);
      return true;
    }
    const now = performance.now();
    if (!left.includes(String(pid))) ownEnd = Math.min(ownEnd, now);
    // without a supervisor nobody ends what its own process left behind
    if (now - ownEnd > ORPHANED_MS && left.length > 0) return false;
    if (now >= deadline) return false;
    await pause(round, signal);
  }
}

function pidsIn(text: string | Error | undefined): readonly string[] {
  return typeof text === "string" ? text.split("\n").filter((line) => line !== "") : [];
}

/** Writes down an end that no supervisor saw. */
async function writeEnd(
  { host, layout }: RktContext,
  name: string,
  container: string,
): Promise<void> {
  const at = new Date().toISOString();
  // one that is there was written by the supervisor, which knows more
  await host.createFile(`${layout.podDir(name)}/${container}.exit`, `- ${at}\n`);
}
