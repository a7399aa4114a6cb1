import { StowageError } from "../../errors/index.ts";

/** Who and where: what ssh(1) is given. A host may be an alias of the user's configuration. */
export interface SshAddress {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

const ADDRESS =
  /^ssh:\/\/(?:([^@:/?#\s]+)@)?(\[[0-9A-Fa-f:.%\w]+\]|[^@:/?#\s[\]]+)(?::(\d{1,5}))?\/?$/;
/** A character that stands for itself, or one of ASCII that is written as `%40`. */
const WRITTEN = /^(?:[^%]|%[2-6][0-9A-Fa-f]|%7[0-9A-Ea-e])*$/;

/**
 * The parts of `ssh://user@host:port`, where `%40` is an `@` that belongs to a name.
 *
 * @throws StowageError `invalid_argument` for anything else, without what may be a password in it
 */
export function parseSshAddress(address: string): SshAddress {
  const [, login, at = "", digits] = ADDRESS.exec(address) ?? [];
  const [user, host = ""] = [login && decoded(login), placeOf(at)];
  const port = digits === undefined ? undefined : Number(digits);
  // neither is to be taken for an option of ssh
  const isOption = host.startsWith("-") || user?.startsWith("-") === true;
  if (host === "" || user === "" || isOption || port === 0 || (port ?? 0) > 65_535) {
    const shown = address.replace(/:[^@/]*@/, ":…@");
    throw new StowageError(
      `Cannot use address "${shown}": it is not ssh://user@host:port; it cannot hold a password: keys come from your ssh agent and configuration`,
      { code: "invalid_argument" },
    );
  }
  return {
    host,
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
  };
}

/** The zone of an IPv6 address may stand behind a bare `%`, as people write it, or behind `%25`. */
function placeOf(at: string): string {
  const [, number] = /^\[(.*)\]$/.exec(at) ?? [];
  return number === undefined ? decoded(at) : number.replace("%25", "%");
}

/** @returns nothing where that is not how it is written */
function decoded(text: string): string {
  return WRITTEN.test(text) ? decodeURIComponent(text) : "";
}
