import type { Host } from "./host.ts";
import type { SshHostOptions } from "./ssh/ssh-host.ts";

export type { SharedLinks } from "./ssh/shared-links.ts";

/**
 * A machine that is reached by the user's own OpenSSH; nothing of that is loaded before the first one is.
 *
 * @param address `ssh://user@host:port`
 * @throws StowageError `invalid_argument` for anything else
 */
export async function openSshHost(address: string, options?: SshHostOptions): Promise<Host> {
  return (await import("./ssh/ssh-host.ts")).openSshHost(address, options);
}
