import * as z from "zod";
import { type ErrorCode, StowageError } from "../../errors/index.ts";
import { CONNECT_MS } from "./open-dispatcher.ts";

/** What a registry was asked. */
export interface Asked {
  /** The registry's domain in references. */
  readonly domain: string;
  /** For the message: `read manifest "1.27" of docker.io/library/nginx`. */
  readonly doing: string;
}

const Errors = z.object({
  errors: z.array(z.object({ code: z.string().optional(), message: z.string().optional() })).min(1),
});
const DETAIL_MAX = 200;

/** An answer that refuses. */
export function refused(asked: Asked, status: number, body: string): StowageError {
  const [code, state, remedy] = meaningOf(status, asked.domain);
  const detail = detailOf(body);
  return new StowageError(
    `Cannot ${asked.doing}: registry ${asked.domain} ${state}${detail === "" ? "" : ` (${detail})`}; ${remedy}`,
    { code, context: { registry: asked.domain, status } },
  );
}

function meaningOf(status: number, domain: string): [ErrorCode, state: string, remedy: string] {
  if (status === 401)
    return [
      "unauthenticated",
      "rejects the credentials, or needs some",
      `log in with docker login ${domain} or podman login ${domain}; a registry answers the same for a repository that does not exist`,
    ];
  if (status === 403)
    return ["permission_denied", "denies access", "check that the account may read the repository"];
  if (status === 404)
    return ["not_found", "does not have it", "correct the image's name, tag or digest"];
  if (status === 429)
    return [
      "resource_exhausted",
      "was asked too often (429)",
      "wait, or log in to get a higher limit",
    ];
  if (status >= 500) return ["unavailable", `fails with status ${status}`, "try again later"];
  return ["internal", `answered with status ${status}`, "check that it is a registry"];
}

/** What a registry says of its refusal, as far as it is in the form of the specification. */
function detailOf(body: string): string {
  try {
    const said = Errors.safeParse(JSON.parse(body)).data?.errors[0];
    const text = said?.message ?? said?.code ?? "";
    return text.replaceAll(/[^\x20-\x7e]+/g, " ").slice(0, DETAIL_MAX);
  } catch {
    return "";
  }
}

/** An answer that is not one of a registry's. */
export function nonsense(asked: Asked, state: string): StowageError {
  return new StowageError(
    `Cannot ${asked.doing}: registry ${asked.domain} gave an unusable answer: ${state}; check that the address is a registry's`,
    { code: "invalid_argument", context: { registry: asked.domain } },
  );
}

/** Connections that broke: the next one may hold. */
const PASSING = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "UND_ERR_SOCKET"]);

/** Where an answer was waited for. */
export interface Waited {
  /** Where a registry says that it is one. */
  readonly url: string;
  /** Time that it had to answer. */
  readonly answerMs: number;
}

/** A registry that could not be spoken with. */
export function unreachable(asked: Asked, error: unknown, where: Waited): StowageError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const silence = silenceOf(code, where);
  const state =
    silence ??
    `cannot be reached: ${reasonOf(error)}; check that it runs, and that this machine reaches it`;
  return new StowageError(`Cannot ${asked.doing}: registry ${asked.domain} ${state}`, {
    code: "unavailable",
    cause: error,
    context: { registry: asked.domain },
    retryable: PASSING.has(code),
  });
}

/** A registry that says nothing, or no more; undefined where it is something else. */
function silenceOf(code: string, { url, answerMs }: Waited): string | undefined {
  const time = `${answerMs / 1000} s`;
  const remedy = `check it with curl -v ${url}, and that no proxy or firewall blocks it, then try again`;
  if (code === "UND_ERR_HEADERS_TIMEOUT")
    return `accepted the request but did not answer for ${time}; ${remedy}`;
  if (code === "UND_ERR_BODY_TIMEOUT")
    return `stopped in the middle of its answer for ${time}; ${remedy}`;
  return code === "UND_ERR_CONNECT_TIMEOUT"
    ? `did not accept a connection within ${CONNECT_MS / 1000} s; ${remedy}`
    : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, code } = error as NodeJS.ErrnoException & { readonly cause?: unknown };
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (cause instanceof Error) return reasonOf(cause);
  return error.message === "" ? (code ?? error.name) : error.message;
}
