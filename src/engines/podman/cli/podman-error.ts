import { type ErrorCode, StowageError } from "../../../errors/index.ts";
import type { CommandResult } from "../../../host/index.ts";

/** Longest reason that is passed on. */
const MAX_REASON = 600;
/** What of an error is read. */
const MAX_TEXT = 10_000;

interface Meaning {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly remedy?: string;
}

/** Constant parts of podman's messages of all versions; the first that is found decides. */
const MEANINGS: readonly Meaning[] = [
  {
    pattern: /no such (?:container|pod)|no such object|no container with (?:ID|name)/,
    code: "not_found",
  },
  {
    pattern: /insufficient UIDs or GIDs/,
    code: "failed_precondition",
    remedy:
      "some of its files belong to users that podman's user may not map: add ranges in /etc/subuid and /etc/subgid, and install uidmap",
  },
  { pattern: /image not known/, code: "not_found", remedy: "import the image first" },
  { pattern: /is already in use|(?:pod|container) already exists/, code: "already_exists" },
  {
    pattern: /finding pause binary|catatonit/,
    code: "failed_precondition",
    remedy:
      "a pod of several containers needs the program catatonit; install the package catatonit",
  },
  {
    pattern: /no space left on device/,
    code: "resource_exhausted",
    remedy: "free space on the host",
  },
  {
    pattern: /manifest unknown|name unknown/,
    code: "not_found",
    remedy: "correct the image's name, tag or digest",
  },
  {
    pattern:
      /unauthorized|authentication required|access to the resource is denied|invalid username\/password/,
    code: "unauthenticated",
    remedy: "log in with docker login or podman login on this machine",
  },
  {
    pattern:
      /dial tcp|i\/o timeout|no such host|TLS handshake|x509: |HTTP response to HTTPS|pinging container registry/,
    code: "unavailable",
    remedy: "let the host reach the registry, or declare pull: controller for it",
  },
  { pattern: /address already in use/, code: "failed_precondition", remedy: "free the port" },
  {
    pattern: /database configuration mismatch/,
    code: "failed_precondition",
    remedy: "declare the root and runRoot that this store was created with",
  },
  {
    pattern: /setting rlimit/,
    code: "failed_precondition",
    remedy: "declare lower ulimits, or set default_ulimits in containers.conf",
  },
  {
    pattern: /allocating lock|all \d+ locks/,
    code: "resource_exhausted",
    remedy: "raise num_locks in containers.conf",
  },
  { pattern: /permission denied|operation not permitted/i, code: "failed_precondition" },
  {
    pattern:
      /command that was not found|executable file not found|no such file or directory|unable to find user|unable to find group|no matching entries|not a device|not a directory|can't be set since|is not allowed|invalid argument|container state improper|OCI runtime/i,
    code: "failed_precondition",
  },
];

/** The reason that podman gives on stderr: its last line that is an error of its own. */
export function reasonOf({ exitCode, stderr }: Pick<CommandResult, "exitCode" | "stderr">): string {
  const reason = errorText(stderr).slice(0, MAX_REASON);
  return reason === "" ? `it ended with exit code ${exitCode}` : reason;
}

/** The whole of that, which may be long where podman lists all that it tried. */
function errorText(stderr: string): string {
  const lines = stderr.trimEnd().split("\n");
  const at = lines.findLastIndex((line) => line.startsWith("Error: "));
  const text = at < 0 ? (lines.at(-1) ?? "") : lines.slice(at).join(" ").slice("Error: ".length);
  return text.slice(0, MAX_TEXT).replaceAll(/\s+/g, " ").trim();
}

/** Commands that are two words. */
const NOUNS = new Set(["pod", "container", "image"]);

/** A command of podman's as a message names it: `podman pod create`. */
export function commandName(args: readonly string[]): string {
  const [first = "", second = ""] = args;
  return `podman ${NOUNS.has(first) ? `${first} ${second}` : first}`;
}

/** A command that podman says went well, and whose effect is not there. */
export function nothingDone(doing: string, args: readonly string[]): StowageError {
  return new StowageError(
    `Cannot ${doing}: ${commandName(args)} reports success, but nothing was done; run it on the host, and check podman's log`,
    { code: "unavailable" },
  );
}

/** What a command that failed came to. */
export function podmanError(
  doing: string,
  args: readonly string[],
  result: Pick<CommandResult, "exitCode" | "stderr">,
): StowageError {
  const reason = reasonOf(result);
  const text = errorText(result.stderr);
  const {
    code = "internal",
    remedy = "fix what it names, or run it on the host",
  }: Partial<Meaning> = MEANINGS.find(({ pattern }) => pattern.test(text)) ?? {};
  return new StowageError(`Cannot ${doing}: ${commandName(args)} says: ${reason}; ${remedy}`, {
    code,
    context: { exitCode: result.exitCode },
  });
}
