import { Watch } from "./watch.ts";
import { WatchLocks } from "./watch-lock.ts";
import type { WatchEnd, WatchRequest } from "./watch-request.ts";

/**
 * Watches a fleet until it is stopped: what ends is restarted as restart policies say, and drift
 * is repaired or reported. Everything that is done is done by the same plans and steps as an apply's, under
 * the same locks. What fails is reported and tried again.
 *
 * @throws StowageError `aborted` when the fleet is watched by somebody else
 */
export async function watchFleet(request: WatchRequest): Promise<WatchEnd> {
  if (request.once) return await new Watch(request, undefined).once();
  await using locks = new WatchLocks(request.connector, request.appliedBy, request.lockLifeMs);
  await locks.take(request.source.first.manifest, request.drain);
  await new Watch(request, locks).run();
  return "done";
}
