import { type ErrorCode, StowageError } from "../../../errors/index.ts";

/** Longest reason that is passed on. */
const MAX_REASON = 600;

interface Meaning {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly remedy: string;
}

/** What daemons and ctr of all versions say of a registry; the first that is found decides. */
const MEANINGS: readonly Meaning[] = [
  {
    pattern: /no space left on device/,
    code: "resource_exhausted",
    remedy: "free space on the host",
  },
  {
    pattern: /\b401\b|\b403\b|authorization failed|insufficient_scope|unauthorized|access denied/i,
    code: "unauthenticated",
    remedy: "log in with docker login or podman login on this machine",
  },
  {
    pattern:
      /dial tcp|i\/o timeout|no such host|connection re(?:fused|set)|no route to host|network is unreachable|TLS handshake|x509|HTTP response to HTTPS|unexpected EOF|\b5\d\d [A-Z]|deadline exceeded/,
    code: "unavailable",
    remedy: "let the host reach the registry, or declare pull: controller for it",
  },
  { pattern: /not found/, code: "not_found", remedy: "correct the image's name, tag or digest" },
];

/**
 * Why a pull by the host came to nothing.
 *
 * @param who what pulled, for people
 */
export function pullError(name: string, who: string, said: string, cause?: unknown): StowageError {
  const text = said.replaceAll(/\s+/g, " ").trim();
  const { code, remedy } = MEANINGS.find(({ pattern }) => pattern.test(text)) ?? {
    code: "internal",
    remedy: "pull it on the host to see the error, or declare pull: controller for it",
  };
  return new StowageError(
    `Cannot pull image "${name}": ${who} says: ${text.slice(0, MAX_REASON)}; ${remedy}`,
    { code, context: { image: name }, ...(cause === undefined ? {} : { cause }) },
  );
}
