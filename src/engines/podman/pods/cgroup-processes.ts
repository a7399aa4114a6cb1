import type { HostReader, HostSnapshot } from "../../../host/index.ts";
import { callOptions } from "../context.ts";

/**
 * Files that list the processes in a container's cgroup, wherever podman's manager of cgroups and their
 * version may put that.
 *
 * @param id full id
 * @param podId full id of the podman pod that it is in
 */
export function processLists(id: string, podId: string | undefined): readonly string[] {
  const paths = cgroupPaths(id, podId);
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"].flatMap((root) =>
    paths.map((path) => `${root}/${path}/cgroup.procs`),
  );
}

/** Where below the root of a hierarchy a container's cgroup may be; patterns are among them. */
export function cgroupPaths(id: string, podId: string | undefined): readonly string[] {
  return [
    `libpod_parent/libpod-${id}`,
    ...(podId === undefined ? [] : [`libpod_parent/${podId}/libpod-${id}`]),
    `machine.slice/libpod-${id}.scope`,
    `machine.slice/libpod-${id}.scope/container`,
    `machine.slice/machine-libpod_pod_*.slice/libpod-${id}.scope`,
    `machine.slice/machine-libpod_pod_*.slice/libpod-${id}.scope/container`,
  ];
}

/**
 * Processes in the cgroups of containers, which the kernel keeps whatever podman knows.
 *
 * @param ids full ids
 * @param podId full id of the podman pod that they are in
 */
export async function processesOf(
  host: HostReader,
  ids: readonly string[],
  podId: string | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly number[]> {
  const { files } = await host.snapshot(
    { files: ids.flatMap((id) => processLists(id, podId)) },
    callOptions(signal),
  );
  return pidsIn([...files.values()]);
}

/** Processes of a container in files that were read, those of {@link processLists} among them. */
export function processesIn(id: string, files: HostSnapshot["files"]): readonly number[] {
  const isOwn = (path: string): boolean =>
    path.includes(`/libpod-${id}`) && path.endsWith("/cgroup.procs");
  return pidsIn([...files].flatMap(([path, text]) => (isOwn(path) ? [text] : [])));
}

function pidsIn(texts: readonly (string | Error)[]): readonly number[] {
  const lines = texts.flatMap((text) => (typeof text === "string" ? text.split("\n") : []));
  return [...new Set(lines.filter((line) => /^[1-9]\d*$/.test(line)).map(Number))];
}
