import { type CallOptions, CGROUP_ROOT } from "../../../engine/index.ts";
import type { Host } from "../../../host/index.ts";

/** A cgroup has a folder in each hierarchy; with version 2 of cgroups there is one. */
const REMOVE = `for path; do
  for d in ${CGROUP_ROOT}"$path" ${CGROUP_ROOT}/*"$path"; do
    if [ -d "$d" ]; then rmdir "$d"; fi
  done
done 2>/dev/null
exit 0`;

/** One of these files exists in every cgroup, whatever the version: every container's has one for its processes. */
export function cgroupFolders(path: string): readonly string[] {
  return [`${CGROUP_ROOT}${path}`, `${CGROUP_ROOT}/pids${path}`];
}

/** Removes cgroups that nothing is in; others stay. */
export async function removeEmptyCgroups(
  host: Host,
  paths: readonly string[],
  { signal }: CallOptions = {},
): Promise<void> {
  await host.run(["sh", "-c", REMOVE, "sh", ...paths], signal === undefined ? {} : { signal });
}
