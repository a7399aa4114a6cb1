import type { HostReader } from "../../../host/index.ts";
import { callOptions } from "../context.ts";

/** Cgroups that a container of an id may have, by podman's manager of cgroups and their version. */
function cgroupsOf(id: string, podId: string | undefined): readonly string[] {
  const paths = [
    `libpod_parent/libpod-${id}`,
    ...(podId === undefined ? [] : [`libpod_parent/${podId}/libpod-${id}`]),
    `machine.slice/libpod-${id}.scope`,
    `machine.slice/libpod-${id}.scope/container`,
    `machine.slice/machine-libpod_pod_*.slice/libpod-${id}.scope`,
    `machine.slice/machine-libpod_pod_*.slice/libpod-${id}.scope/container`,
  ];
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"].flatMap((root) =>
    paths.map((path) => `${root}/${path}/cgroup.procs`),
  );
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
    { files: ids.flatMap((id) => cgroupsOf(id, podId)) },
    callOptions(signal),
  );
  const lines = [...files.values()].flatMap((text) =>
    typeof text === "string" ? text.split("\n") : [],
  );
  return [...new Set(lines.filter((line) => /^[1-9]\d*$/.test(line)).map(Number))];
}
