import type { HostSession } from "./host-session.ts";

/** Who has a host's lock now, for people; undefined when this apply did not lose it. */
export async function lostLock({ lock }: Pick<HostSession, "lock">): Promise<string | undefined> {
  if (!lock.isExpired()) return undefined;
  try {
    await lock.check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
