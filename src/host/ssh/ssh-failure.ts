import { type ErrorCode, StowageError } from "../../errors/index.ts";

/** What a failed attempt was like. */
export interface SshFailure {
  readonly error: StowageError;
  /** The host had too much to do with others who want to log in: the same is to be tried again. */
  readonly isBusy: boolean;
}

/** How an attempt ended, as ssh and the host told it. */
export interface SshEnd {
  readonly address: string;
  readonly exitCode: number | null;
  readonly stderr: string;
  /** What came where the agent should have spoken. */
  readonly stdout: string;
  /** For a command that a person can type. */
  readonly target: string;
  /** Who is on the way there; looked up where {@link isBeforeTheHost}. */
  readonly through: string | undefined;
}

interface Kind {
  readonly pattern: RegExp;
  /** Where it is said. @defaultValue stderr */
  readonly on?: "stdout";
  readonly code: ErrorCode;
  readonly say: (match: RegExpExecArray, end: SshEnd) => string;
  readonly isBusy?: boolean;
}

/** Texts of OpenSSH and sudo, which they print in no other language; the first one that is found counts. */
const KINDS: readonly Kind[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: "failed_precondition",
    say: (_, { target }) =>
      `its host key is different from the one in your known_hosts; the host was reinstalled, or somebody intercepts the connection: find out which, then run ssh-keygen -R and ssh ${target}`,
  },
  {
    pattern: /No (\S+) host key is known for|Host key verification failed/,
    code: "failed_precondition",
    say: (_, { target }) =>
      `its host key is not in your known_hosts; connect once with ssh ${target} and compare the key that it shows`,
  },
  {
    pattern: /Permission denied \(([^)]*)\)/,
    code: "unauthenticated",
    say: ([, ways], { target }) =>
      `it rejects the keys that ssh offers (${ways}); make ssh -v ${target} work without a prompt, by an agent or a key in your configuration`,
  },
  {
    pattern: /Could not resolve hostname (\S+): (.*)/,
    code: "not_found",
    say: ([, name]) =>
      `no host is called "${name}" in DNS or your ssh configuration; correct the address`,
  },
  {
    pattern: /banner line (?:contains invalid characters|too long)|No SSH identification/,
    code: "failed_precondition",
    say: () => "what answers there is not an sshd; correct the address or its port",
  },
  {
    pattern: /Too many authentication failures/,
    code: "unauthenticated",
    say: (_, { target }) =>
      `ssh offers more keys than it accepts (too many authentication failures); set the right one in your ssh configuration by IdentityFile, with IdentitiesOnly yes, and check that ssh ${target} works`,
  },
  {
    pattern: /.*(?:kex_exchange_identification|Connection reset by|Connection closed by).*/,
    code: "unavailable",
    isBusy: true,
    say: ([text]) =>
      `it closed the connection before the login (${text.trim()}); see its sshd's log`,
  },
  {
    pattern:
      /sudo: (?:a password is required|a terminal is required|no tty|sorry, you must have)|not in the sudoers|not allowed to execute|may not run sudo/,
    code: "permission_denied",
    say: (_, { target }) =>
      `its user cannot become root without a password; log in as root, or allow it: echo 'USER ALL=(root) NOPASSWD: /usr/bin/perl' >/etc/sudoers.d/stowage, with USER as in ${target}`,
  },
  {
    pattern: /sudo: (?:not found|command not found)|exec: sudo/,
    code: "permission_denied",
    say: () =>
      "its user is not root and there is no sudo; log in as root, or install sudo and allow it without a password",
  },
  {
    pattern: /no-perl\n$/,
    on: "stdout",
    code: "failed_precondition",
    say: () =>
      "it has no perl, which Stowage needs there; install it (Debian always has it; elsewhere the package is perl or perl-interpreter)",
  },
  {
    pattern:
      /(Connection refused|Connection timed out|No route to host|Network is unreachable|Operation timed out)/,
    code: "unavailable",
    say: ([, state]) => `${state?.toLowerCase()}; check that it runs and can be reached from here`,
  },
  {
    // options that are given to it, of its own version 8.7 and later
    pattern: /Bad configuration option: (?:SessionType|ForkAfterAuthentication|StdinNull)\b/i,
    code: "failed_precondition",
    say: () =>
      "ssh on this machine is older than OpenSSH 8.7 (see ssh -V); install that version or a later one",
  },
  {
    pattern:
      /Bad configuration option.*|Bad owner or permissions.*|terminating, \d+ bad.*|Can't open user config file.*/,
    code: "invalid_argument",
    say: ([text]) => `ssh rejects its configuration (${text}); fix that`,
  },
];

/** The same of whoever is on the way, whose own troubles are those of {@link KINDS}. */
const WAY_KINDS: readonly Kind[] = [
  {
    pattern: /open failed: administratively prohibited/,
    code: "failed_precondition",
    say: (_, { through }) =>
      `${through}, the jump host on the way, does not forward connections; allow it in its sshd (AllowTcpForwarding, PermitOpen)`,
  },
  {
    pattern: /open failed: connect failed: (.*)/,
    code: "unavailable",
    say: ([, why], { through }) =>
      `${through}, the jump host on the way, cannot reach it: ${why?.trim().toLowerCase()}; check that the host runs and can be reached from there`,
  },
  {
    pattern: /banner exchange/,
    code: "unavailable",
    say: (_, { through }) =>
      `no connection through ${through}: connection timed out; check that both run and can be reached`,
  },
  {
    // the shell that ssh runs it with
    pattern:
      /^.*: (?:not found|command not found|No such file or directory|Permission denied)\r?$/m,
    code: "invalid_argument",
    say: ([text], { through }) =>
      `${through}, which the connection goes through, cannot be run (${text.trim()}); fix your ssh configuration`,
  },
  ...KINDS.filter(({ isBusy }) => isBusy !== true).map(
    (kind): Kind => ({
      ...kind,
      say: (match, end) => `on the way there, at ${end.through}: ${kind.say(match, end)}`,
    }),
  ),
  {
    // a word of its own, not ssh's about the end of it
    pattern: /^(?!kex_exchange_identification|Connection (?:closed|reset) by|\s*$).+$/m,
    code: "unavailable",
    isBusy: true,
    say: ([text], { through }) =>
      `${through}, the jump host on the way, cannot reach it (${text.trim()}); check that the host runs and can be reached from there`,
  },
];

/** Whether nothing was heard of the host itself, so that whoever is on the way may be why. */
export function isBeforeTheHost(stderr: string): boolean {
  return /kex_exchange_identification|banner exchange/.test(stderr);
}

/** What a failed attempt comes to. */
export function sshFailure(end: SshEnd): SshFailure {
  const said = `${end.stdout.slice(-2048)}\n${end.stderr}`;
  const kinds = end.through === undefined ? KINDS : [...WAY_KINDS, ...KINDS];
  for (const { pattern, on = "stderr", code, say, isBusy = false } of kinds) {
    const match = pattern.exec(end[on]);
    if (match === null) continue;
    return { error: unreachable(end.address, say(match, end), code), isBusy };
  }
  const last = said.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  const how = last === "" ? `ssh exited with ${end.exitCode} without a message` : last;
  const state = `the connection ended before anything could be run (${how}); check that ssh ${end.target} works`;
  return { error: unreachable(end.address, state, "unavailable"), isBusy: false };
}

/** The one form of all of them. */
export function unreachable(address: string, state: string, code: ErrorCode): StowageError {
  return new StowageError(`Cannot reach host ${address}: ${state}`, { code, context: { address } });
}
