import type { PodInstance } from "../../../engine/index.ts";
import { type HostReader, type HostSnapshot, startTicks } from "../../../host/index.ts";
import { type ObservedPod, objectName } from "../../../model/index.ts";
import { callOptions } from "../context.ts";
import { freezerFiles, isFrozen } from "./cgroup-processes.ts";
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
  const image = pod.images[container];
  const [first, ...others] = pids.filter((pid) => !pids.includes(parentOf(statOf(files, pid))));
  if (first === undefined || others.length > 0 || image === undefined) return undefined;
  const startedAt = startTicks(statOf(files, first));
  const cmdline = textOf(files, `/proc/${first}/cmdline`);
  if (startedAt === undefined || cmdline === "" || isRuntime(cmdline)) return undefined;
  const { identity, recordDigest } = pod;
  return {
    pod: { identity, recordDigest },
    container,
    image,
    id,
    pid: first,
    startedAt,
    seenAt: performance.now(),
  };
}

/** Those of which the kernel says that the same process still runs; podman is not asked. */
export async function seeFresh(
  host: HostReader,
  pods: readonly FreshPod[],
  signal: AbortSignal | undefined,
): Promise<readonly ObservedPod[]> {
  const young = pods.filter(({ seenAt }) => performance.now() - seenAt < FRESH_MS);
  if (young.length === 0) return [];
  const paths = young.flatMap(({ id, pid }) => [
    `/proc/${pid}/stat`,
    `/proc/${pid}/cgroup`,
    ...freezerFiles(id),
  ]);
  const { files } = await host.snapshot({ files: paths }, callOptions(signal));
  return young.filter((each) => stillRuns(each, files)).map(observed);
}

function stillRuns({ id, pid, startedAt }: FreshPod, files: HostSnapshot["files"]): boolean {
  return (
    startTicks(statOf(files, pid)) === startedAt &&
    textOf(files, `/proc/${pid}/cgroup`).includes(id) &&
    !isFrozen(id, files)
  );
}

function observed({ pod, container, image, pid }: FreshPod): ObservedPod {
  const { identity, recordDigest } = pod;
  const { reference, digest } = image;
  return {
    ...identity,
    recordDigest,
    state: "running",
    containers: {
      [container]: {
        id: objectName(identity),
        state: "running",
        pid,
        image: { reference, digest },
        reported: {},
      },
    },
    reported: {},
  };
}

function statOf(files: HostSnapshot["files"], pid: number): string {
  return textOf(files, `/proc/${pid}/stat`);
}
