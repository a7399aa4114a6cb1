import * as z from "zod";
import type { PodIdentity } from "../../../model/index.ts";
import type { PodmanContext } from "../context.ts";

const RestartCounts = z.record(
  z.string(),
  // the container that it speaks of: one that is made later is another
  z.object({ id: z.string(), count: z.int().min(1) }),
);
/**
 * Starts that a restart policy wanted and podman did not do, by container: podman counts its own ones, and
 * starts again with each that it is told.
 */
export type RestartCounts = Readonly<z.infer<typeof RestartCounts>>;

/** Reads the counts in a file; none when there is none. */
export function parseRestartCounts(text: string | Error | undefined): RestartCounts {
  if (typeof text !== "string") return {};
  try {
    return RestartCounts.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** How often a container's restart policy had it started: podman's own count, and ours. */
export function restartsOf(
  counts: RestartCounts,
  name: string,
  { Id, RestartCount }: { readonly Id: string; readonly RestartCount: number },
): number {
  const own = counts[name];
  return RestartCount + (own?.id === Id ? own.count : 0);
}

/** Counts one more start of each of these containers, before it. */
export async function countRestarts(
  { host, files }: PodmanContext,
  identity: PodIdentity,
  containers: readonly {
    readonly name: string;
    readonly found: { readonly Id: string; readonly RestartCount: number };
  }[],
): Promise<void> {
  const path = files.restartsFile(identity);
  const { files: read } = await host.snapshot({ files: [path] });
  const counts = { ...parseRestartCounts(read.get(path)) };
  for (const { name, found } of containers) {
    counts[name] = { id: found.Id, count: restartsOf(counts, name, found) + 1 };
  }
  await host.writeFile(path, `${JSON.stringify(counts)}\n`);
}

/** Resets the count. */
export async function forgetRestarts(
  { host, files }: PodmanContext,
  identity: PodIdentity,
): Promise<void> {
  await host.removeFile(files.restartsFile(identity));
}
