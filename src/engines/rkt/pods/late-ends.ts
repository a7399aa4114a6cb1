import type { HostSnapshot } from "../../../host/index.ts";
import type { PodIdentity } from "../../../model/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import { appName, type RktLayout } from "../layout.ts";

/** What is made of a snapshot, as far as ends go. */
interface Ends {
  readonly pods: readonly {
    readonly name: string;
    readonly identity: PodIdentity;
    readonly pids: ReadonlyMap<string, number>;
    readonly exits: ReadonlyMap<string, string>;
  }[];
  readonly processes: ReadonlyMap<string, unknown>;
  readonly supervised: ReadonlyMap<string, unknown>;
}

/**
 * Looks again for ends that nobody seems to have written down: files are read one after the other, and a
 * supervisor that wrote and went in between was seen neither before nor after.
 */
export async function withLateEnds<Seen extends Ends>(
  { host, layout }: RktContext,
  snapshot: HostSnapshot,
  assemble: (snapshot: HostSnapshot) => Seen,
  signal: AbortSignal | undefined,
): Promise<Seen> {
  const seen = assemble(snapshot);
  const missing = unrecordedEnds(layout, seen);
  if (missing.length === 0) return seen;
  const { files } = await host.snapshot({ files: missing }, callOptions(signal));
  if (files.size === 0) return seen;
  return assemble({ ...snapshot, files: new Map([...snapshot.files, ...files]) });
}

/** Files that should be there of containers that began, and have no process and no supervisor. */
function unrecordedEnds(layout: RktLayout, seen: Ends): readonly string[] {
  return seen.pods.flatMap(({ name, identity, pids, exits }) =>
    [...pids.keys()]
      .filter((container) => {
        const app = appName(identity, container);
        return !exits.has(container) && !seen.processes.has(app) && !seen.supervised.has(app);
      })
      .map((container) => `${layout.podDir(name)}/${container}.exit`),
  );
}
