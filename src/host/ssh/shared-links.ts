import { Link } from "./link.ts";
import type { SshTarget } from "./ssh-target.ts";

/**
 * The connections to hosts that are open, by where they lead: whoever reaches a host that another part of this process
 * has a connection to uses that one.
 */
export type SharedLinks = Map<string, SharedLink>;

interface SharedLink {
  readonly link: Link;
  users: number;
}

/** A connection as one of its users has it; it is closed when the last of them has given it back. */
export interface LinkLease extends AsyncDisposable {
  readonly link: Link;
}

/**
 * A connection to a host: the one that there is, or a new one, which is begun at once. One that was lost is being made
 * again for those who have it; who comes meanwhile gets another one, and is told at once why that fails.
 */
export function leaseLink(links: SharedLinks, target: SshTarget): LinkLease {
  const key = JSON.stringify([target.address, target.config, target.program]);
  const known = links.get(key);
  const isUsable = known !== undefined && !known.link.isAway;
  const shared: SharedLink = isUsable ? known : { link: new Link(target), users: 0 };
  if (known === undefined) links.set(key, shared);
  const { link } = shared;
  link.begin();
  shared.users += 1;
  let isOpen = true;
  return {
    link,
    [Symbol.asyncDispose]: async () => {
      if (!isOpen) return;
      isOpen = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      if (links.get(key) === shared) links.delete(key);
      await link.close();
    },
  };
}
