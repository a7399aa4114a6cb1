import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";

/** A snapshotter's own words: it makes a directory aside and moves it to the number that the new snapshot gets. */
const IN_THE_WAY = /^failed to rename: rename (\/\S*\/snapshots)\/new-\d+ (\1\/\d+): file exists$/;

/** More than one daemon's death leaves. */
const OBSTACLES = 8;

/**
 * Does something that makes snapshots. A daemon that was killed while it made one may have its directory and
 * no record of it; it gives every other one the same number then, and makes none any more. The directory goes, as long as it
 * is empty: nobody has ever had it.
 */
export async function pastObstacles<T>(host: Host, task: () => Promise<T>): Promise<T> {
  let before: string | undefined;
  for (let found = 0; ; found += 1) {
    try {
      return await task();
    } catch (error) {
      const path = obstacleIn(error);
      if (path === undefined || path === before || found === OBSTACLES) throw error;
      before = path;
      // rmdir takes nothing that has anything in it
      await host.run(["rmdir", "--", `${path}/work`, `${path}/fs`, path]);
    }
  }
}

/** The directory that is in the way, by the daemon's error. */
export function obstacleIn(error: unknown): string | undefined {
  if (!StowageError.is(error)) return undefined;
  return IN_THE_WAY.exec(String(error.context["state"]))?.[2];
}
