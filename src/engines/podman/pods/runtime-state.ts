import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";

/** Runtimes that podman uses, and where each keeps what it knows of containers. */
const RUNTIMES = { runc: "/run/runc", crun: "/run/crun" } as const;

/**
 * Has the runtime forget removed containers: cgroups and state. That is conmon's to ask for, and podman removes one whose
 * conmon was killed without it.
 *
 * @param ids full ids of containers that are not there any more
 */
export async function forgetInRuntimes(host: Host, ids: readonly string[]): Promise<void> {
  const kept = ids
    .filter((id) => /^[0-9a-f]{64}$/.test(id))
    .flatMap((id) =>
      Object.entries(RUNTIMES).map(([runtime, folder]) => ({
        runtime,
        id,
        path: `${folder}/${id}`,
      })),
    );
  if (kept.length === 0) return;
  const { existing } = await host.snapshot({ exist: kept.map(({ path }) => path) });
  for (const { runtime, id, path } of kept.filter((each) => existing.has(each.path))) {
    const { exitCode, stderr } = await host.run([runtime, "delete", "--force", id]);
    const left = await host.snapshot({ exist: [path] });
    if (exitCode === 0 || !left.existing.has(path)) continue;
    throw new StowageError(
      `Cannot remove what ${runtime} keeps of container "${id}": ${stderr.trim().slice(0, 300)}; apply again`,
      { code: "unavailable", context: { container: id } },
    );
  }
}
