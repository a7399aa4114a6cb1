import type { HostSnapshot } from "../../../host/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import { appName, type RktLayout } from "../layout.ts";
import type { SeenPods } from "./read-pods.ts";

/**
 * Looks again for ends that nobody seems to have written down: files are read one after the other, and a
 * supervisor that wrote and went in between was seen neither before nor after.
 */
export async function withLateEnds(
  { host, layout }: RktContext,
  snapshot: HostSnapshot,
  assemble: (snapshot: HostSnapshot) => SeenPods,
  signal: AbortSignal | undefined,
): Promise<SeenPods> {
  const seen = assemble(snapshot);
  const missing = unrecordedEnds(layout, seen);
  if (missing.length === 0) return seen;
  const { files } = await host.snapshot({ files: missing }, callOptions(signal));
  if (files.size === 0) return seen;
  return assemble({ ...snapshot, files: new Map([...snapshot.files, ...files]) });
}

/** Files that should be there of containers that began, and have no process and no supervisor. */
function unrecordedEnds(layout: RktLayout, seen: SeenPods): readonly string[] {
  return seen.pods.flatMap(({ name, identity, pids, exits }) =>
    [...pids.keys()]
      .filter((container) => {
        const app = appName(identity, container);
        return !exits.has(container) && !seen.processes.has(app) && !seen.supervised.has(app);
      })
      .map((container) => `${layout.podDir(name)}/${container}.exit`),
  );
}
