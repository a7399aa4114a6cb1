import { type PodInstance, runningPod } from "../../../engine/index.ts";
import { type HostReader, type HostSnapshot, runningOn, startTicks } from "../../../host/index.ts";
import { type ObservedPod, objectName } from "../../../model/index.ts";
import { callOptions } from "../context.ts";
import { cgroupPaths } from "./cgroup-processes.ts";
import type { FreshPod } from "./fresh-pod.ts";
import { isRuntime, parentOf, textOf } from "./life.ts";

/** After this time podman may have been told something else by others: it is asked again. */
const FRESH_MS = 5_000;

/**
 * A container's first process, where it is the user's program already.
 *
 * @param pids all processes of its cgroup
 */
export async function freshPod(
  host: HostReader,
  pod: PodInstance,
  { id, pids }: { readonly id: string; readonly pids: readonly number[] },
  signal: AbortSignal | undefined,
): Promise<FreshPod | undefined> {
  const paths = pids.flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/stat`]);
  const { files } = await host.snapshot({ files: paths }, callOptions(signal));
  const [container = ""] = Object.keys(pod.spec.containers);
  const [first, ...others] = pids.filter((pid) => !pids.includes(parentOf(statOf(files, pid))));
  if (first === undefined || others.length > 0) return undefined;
  const startedAt = startTicks(statOf(files, first));
  const cmdline = textOf(files, `/proc/${first}/cmdline`);
  if (startedAt === undefined || cmdline === "" || isRuntime(cmdline)) return undefined;
  const { identity, recordDigest, images } = pod;
  return {
    pod: { identity, recordDigest, images },
    container,
    id,
    pid: first,
    startedAt,
    seenAt: performance.now(),
  };
}

/** Those whose process still runs by the kernel's word; podman is not asked. */
export async function seeFresh(
  host: HostReader,
  pods: readonly FreshPod[],
  signal: AbortSignal | undefined,
): Promise<readonly ObservedPod[]> {
  const young = pods.filter(({ seenAt }) => performance.now() - seenAt < FRESH_MS);
  const processes = young.map(({ id, pid, startedAt }) => ({
    pid,
    startedAt,
    cgroup: `/libpod-${id}`,
    cgroupPaths: cgroupPaths(id, undefined),
  }));
  const running = await runningOn(host, processes, signal);
  return young
    .filter(({ pid }) => running.has(pid))
    .map(({ pod, container, pid }) =>
      runningPod(pod, new Map([[container, { id: objectName(pod.identity), pid }]])),
    );
}

function statOf(files: HostSnapshot["files"], pid: number): string {
  return textOf(files, `/proc/${pid}/stat`);
}
