import { StowageError } from "../../errors/index.ts";

/** Who and where: what ssh(1) is given. A host may be an alias of the user's configuration. */
export interface SshAddress {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

const ADDRESS =
  /^ssh:\/\/(?:([^@:/?#\s]+)@)?(\[[0-9A-Fa-f:.%\w]+\]|[^@:/?#\s[\]]+)(?::(\d{1,5}))?\/?$/;

/**
 * The parts of `ssh://user@host:port`.
 *
 * @throws StowageError `invalid_argument` for anything else, without what may be a password in it
 */
export function parseSshAddress(address: string): SshAddress {
  const [, user, host = "", digits] = ADDRESS.exec(address) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  // neither is to be taken for an option of ssh
  const isOption = host.startsWith("-") || user?.startsWith("-") === true;
  if (host === "" || isOption || port === 0 || (port ?? 0) > 65_535) {
    const shown = address.replace(/:[^@/]*@/, ":…@");
    throw new StowageError(
      `Cannot use address "${shown}": it is not ssh://user@host:port; a password has no place in it, since keys are asked of your ssh agent and configuration`,
      { code: "invalid_argument" },
    );
  }
  return {
    host: host.replace(/^\[(.*)\]$/, "$1"),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  };
}
