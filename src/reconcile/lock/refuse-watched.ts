import { StowageError } from "../../errors/index.ts";
import type { HostReader } from "../../host/index.ts";
import { type HostSpec, hostDirectories, hostLayout } from "../../model/index.ts";
import { describeHolder, lockRequest, readLockState } from "./lock-file.ts";

/** A fleet on a host. */
export interface WatchedPlace {
  /** What the host is called. */
  readonly name: string;
  readonly spec: HostSpec;
  readonly owner: string;
  readonly fleet: string;
}

/**
 * Refuses to remove a fleet from a host where somebody watches it: it would be put back within seconds.
 *
 * @param doing what is refused, for people: `destroy fleet "shop"`
 * @throws StowageError `failed_precondition` naming who watches
 */
export async function refuseWatched(
  host: Pick<HostReader, "snapshot">,
  { name, spec, owner, fleet }: WatchedPlace,
  doing: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { watchLockDir } = hostLayout(hostDirectories(spec), owner, fleet);
  const snapshot = await host.snapshot(
    lockRequest(watchLockDir),
    signal === undefined ? {} : { signal },
  );
  const state = readLockState(snapshot, watchLockDir);
  if (!state.isHeld) return;
  throw new StowageError(
    `Cannot ${doing}: ${describeHolder(state)} watches fleet ${fleet} on host ${name} and would put everything back; end that watch first, or wait a minute if it was killed`,
    { code: "failed_precondition", context: { host: name } },
  );
}
