import { Link } from "./link.ts";
import type { Session, SessionLost } from "./session.ts";
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
export class LinkLease implements Pick<Link, "again" | "once" | "session" | "lost"> {
  readonly #link: Link;
  readonly #waits: boolean;
  readonly #giveBack: () => Promise<void>;
  #isOpen = true;

  constructor(link: Link, waits: boolean, giveBack: () => Promise<void>) {
    this.#link = link;
    this.#waits = waits;
    this.#giveBack = giveBack;
  }

  async again<T>(
    signal: AbortSignal | undefined,
    use: (session: Session) => Promise<T>,
  ): Promise<T> {
    return await this.#link[this.#waits ? "again" : "whileUp"](signal, use);
  }

  async once<T>(
    signal: AbortSignal | undefined,
    use: (session: Session) => Promise<T>,
  ): Promise<T> {
    return await this.#link[this.#waits ? "once" : "whileUp"](signal, use);
  }

  async session(signal: AbortSignal | undefined): Promise<Session> {
    return await this.#link.session(signal);
  }

  lost(error: SessionLost) {
    return this.#link.lost(error);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#giveBack();
  }
}

/**
 * A connection to a host: the one that there is, or a new one, which is begun at once. One that was lost is being made
 * again for those who have it; who comes meanwhile gets another one, and is told at once why that fails.
 *
 * @param waits whether one that is there already is waited for when it is lost
 */
export function leaseLink(links: SharedLinks, target: SshTarget, waits: boolean): LinkLease {
  const key = JSON.stringify([target.address, target.config, target.program]);
  const known = links.get(key);
  const isUsable = known !== undefined && !known.link.isAway;
  const shared: SharedLink = isUsable ? known : { link: new Link(target), users: 0 };
  if (known === undefined) links.set(key, shared);
  const { link } = shared;
  link.begin();
  shared.users += 1;
  return new LinkLease(link, waits || !isUsable, async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    if (links.get(key) === shared) links.delete(key);
    await link.close();
  });
}
