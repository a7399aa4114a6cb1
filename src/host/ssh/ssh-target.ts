import type { SshAddress } from "./ssh-address.ts";

/** Where to, and how. */
export interface SshTarget {
  /** As it was declared. */
  readonly address: string;
  readonly at: SshAddress;
  /** File in place of the user's own configuration. */
  readonly config?: string;
  /** @defaultValue ssh */
  readonly program?: string;
}

/** What a person types after `ssh` to get there. */
export function typed({ at: { host, user, port } }: SshTarget): string {
  return `${port === undefined ? "" : `-p ${port} `}${user === undefined ? "" : `${user}@`}${host}`;
}
