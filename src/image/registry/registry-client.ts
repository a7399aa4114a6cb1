import { setTimeout as delay } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";
import { INDEX_TYPES, MANIFEST_TYPES } from "../media-types.ts";
import { type Patience, patienceOf, type RegistryWait, tellingWait } from "./answer-waits.ts";
import { type Challenge, parseChallenges } from "./auth-challenge.ts";
import type { Credentials } from "./docker-credentials.ts";
import type { RegistryPlace } from "./host-places.ts";
import { openDispatcher } from "./open-dispatcher.ts";
import { type Asked, nonsense, refused, unreachable } from "./registry-error.ts";
import { realmOf, redirectOf } from "./registry-urls.ts";

/** What is asked of a registry, below its repository. */
export interface RegistryRequest extends Asked {
  /** `manifests/1.27`, `blobs/sha256:…` */
  readonly path: string;
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of 200 or 206; its body must be read or dropped. */
export type RegistryAnswer = Dispatcher.ResponseData;

/** How a repository is reached. */
export interface RepositoryOptions {
  readonly domain: string;
  /** Path of the repository: `library/nginx`. */
  readonly path: string;
  /** Whether it speaks HTTP without TLS. */
  readonly isPlain: boolean;
  /** Domain of the registry that a mirror is asked for. */
  readonly registry?: string | undefined;
  /** Where that is not below the domain's own `/v2/`. */
  readonly place?: RegistryPlace | undefined;
  readonly credentials: () => Promise<Credentials | undefined>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly patience?: Patience | undefined;
  /** Told when an answer is long in coming. */
  readonly onWait?: ((wait: RegistryWait) => void) | undefined;
}

/** Bytes of an answer that wait for their reader: they are read in pieces of about that. */
const HELD_BYTES = 512 * 1024;
const REDIRECTS_MAX = 5;
const TRIES = 4;
const WAIT_MAX_MS = 60_000;
const ERROR_BYTES_MAX = 16 * 1024;
const TOKEN_BYTES_MAX = 1024 * 1024;
/** What may be well a moment later. */
const PASSING = new Set([429, 500, 502, 503, 504]);

const TokenAnswer = z.looseObject({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
});

/** Host that answers for a domain of references. */
export function registryHost(domain: string): string {
  return domain === "docker.io" ? "registry-1.docker.io" : domain;
}

/** One repository of a registry, read only: asks, authenticates, follows redirects, waits as the registry says. */
export class RegistryClient implements AsyncDisposable {
  readonly #options: RepositoryOptions;
  readonly #dispatcher: Dispatcher;
  readonly #base: string;
  #authorization: string | undefined;

  constructor(options: RepositoryOptions) {
    this.#options = options;
    const { domain, path, isPlain, env, place, patience } = options;
    const home =
      place?.base ?? new URL(`${isPlain ? "http" : "https"}://${registryHost(domain)}/v2/`);
    this.#base = new URL(`${path}/`, home).href;
    this.#dispatcher = openDispatcher(env, isPlain, place, patienceOf(patience).answerMs);
  }

  /** @throws the reason for which the user stopped */
  throwIfStopped(): void {
    this.#options.signal?.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /**
   * @throws StowageError `not_found`, `unauthenticated`, `permission_denied`, `resource_exhausted` or
   *   `unavailable`, naming the registry and what it was asked
   */
  async ask(asked: RegistryRequest): Promise<RegistryAnswer> {
    return await this.whileTelling(asked, () => this.#askNow(asked));
  }

  /** Does something that waits for the registry, and says so where that takes long. */
  async whileTelling<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
    const { patience, onWait } = this.#options;
    return await tellingWait(asked, patience, onWait, work);
  }

  /** What is thrown where it could not be spoken with, or did not go on. */
  unreachable(asked: Asked, error: unknown): StowageError {
    const { answerMs } = patienceOf(this.#options.patience);
    return unreachable(asked, error, { answerMs, url: new URL("/v2/", this.#base).href });
  }

  async #askNow(asked: RegistryRequest): Promise<RegistryAnswer> {
    const url = new URL(asked.path, this.#base);
    const { place, registry } = this.#options;
    if (place?.isMirror === true && registry !== undefined) url.searchParams.set("ns", registry);
    // before it is asked: another question may have got a new proof when the answer comes
    const shown = this.#authorization;
    const answer = await this.#patiently(() => this.#follow(asked, url));
    if (answer.statusCode !== 401) return await this.#accepted(asked, answer);
    this.#authorization = await this.#prove(asked, answer);
    if (this.#authorization === undefined || this.#authorization === shown)
      throw refused(asked, 401, "");
    return await this.#accepted(asked, await this.#patiently(() => this.#follow(asked, url)));
  }

  /** The header by which a path is let be read; undefined where none is asked for. @throws as {@link ask} */
  async prove(path: string, asked: Asked): Promise<string | undefined> {
    const headers = { accept: [...MANIFEST_TYPES, ...INDEX_TYPES].join(", ") };
    const answer = await this.ask({ ...asked, path, method: "HEAD", headers });
    await answer.body.dump();
    return this.#authorization;
  }

  async #accepted(asked: RegistryRequest, answer: RegistryAnswer): Promise<RegistryAnswer> {
    const { statusCode } = answer;
    if (statusCode === 200 || statusCode === 206) return answer;
    throw refused(asked, statusCode, await textOf(answer, ERROR_BYTES_MAX));
  }

  /** Asks again where a later answer may be better. */
  async #patiently(send: () => Promise<RegistryAnswer>): Promise<RegistryAnswer> {
    for (let nth = 1; ; nth += 1) {
      let waitMs = 2 ** (nth - 1) * 500;
      try {
        const answer = await send();
        if (!PASSING.has(answer.statusCode) || nth >= TRIES) return answer;
        await answer.body.dump();
        waitMs = askedWait(answer) ?? waitMs;
      } catch (error) {
        if (nth >= TRIES || !StowageError.is(error) || !error.retryable) throw error;
      }
      await delay(waitMs, undefined, optionsOf(this.#options));
    }
  }

  /** Nothing of ours but the question itself goes to another host than the one that was asked. */
  async #follow(asked: RegistryRequest, first: URL): Promise<RegistryAnswer> {
    let url = first;
    for (let redirects = 0; ; redirects += 1) {
      const isSame = url.origin === first.origin;
      const answer = await this.#send(asked, url, {
        method: asked.method ?? "GET",
        headers: {
          ...asked.headers,
          ...(isSame ? this.#options.place?.headers : {}),
          ...(isSame && this.#authorization !== undefined
            ? { authorization: this.#authorization }
            : {}),
        },
      });
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.statusCode)) return answer;
      await answer.body.dump();
      if (redirects >= REDIRECTS_MAX)
        throw nonsense(asked, `it redirects more than ${REDIRECTS_MAX} times`);
      url = redirectOf(asked, url, location);
    }
  }

  async #send(asked: Asked, url: URL, options: Sent): Promise<RegistryAnswer> {
    try {
      const dispatcher = this.#dispatcher;
      const highWaterMark = HELD_BYTES;
      return await request(url, {
        ...options,
        dispatcher,
        highWaterMark,
        ...optionsOf(this.#options),
      });
    } catch (error) {
      this.throwIfStopped();
      throw this.unreachable(asked, error);
    }
  }

  /** What answers a challenge; undefined where there is nothing to answer it with. */
  async #prove(asked: Asked, answer: RegistryAnswer): Promise<string | undefined> {
    await answer.body.dump();
    const header = answer.headers["www-authenticate"];
    const challenges = [header ?? []].flat().flatMap(parseChallenges);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    const credentials = await this.#options.credentials();
    if (bearer !== undefined) return `Bearer ${await this.#token(asked, bearer, credentials)}`;
    if (!challenges.some(({ scheme }) => scheme === "basic"))
      throw nonsense(asked, "it asks for an unknown kind of authentication");
    return credentials === undefined || "identityToken" in credentials
      ? undefined
      : basic(credentials);
  }

  /** @see https://distribution.github.io/distribution/spec/auth/token/ */
  async #token(
    asked: Asked,
    { parameters }: Challenge,
    credentials: Credentials | undefined,
  ): Promise<string> {
    const { realm = "", service, scope = `repository:${this.#options.path}:pull` } = parameters;
    const url = realmOf(asked, realm, this.#options.isPlain);
    const about: Asked = { ...asked, doing: `${asked.doing}: get a token from ${url.host}` };
    const query = new URLSearchParams({ ...(service === undefined ? {} : { service }), scope });
    const answer = await this.#askForToken(about, url, query, credentials);
    const text = await textOf(answer, TOKEN_BYTES_MAX);
    if (answer.statusCode !== 200) throw refused(about, answer.statusCode, text);
    const found = TokenAnswer.safeParse(parsed(text)).data;
    const token = found?.token ?? found?.access_token;
    // a token goes into a header
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
      throw nonsense(about, "it holds no token");
    return token;
  }

  async #askForToken(
    about: Asked,
    url: URL,
    query: URLSearchParams,
    credentials: Credentials | undefined,
  ): Promise<RegistryAnswer> {
    if (credentials !== undefined && "identityToken" in credentials) {
      query.set("grant_type", "refresh_token");
      query.set("refresh_token", credentials.identityToken);
      query.set("client_id", "stowage");
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const body = query.toString();
      return await this.#patiently(() => this.#send(about, url, { method: "POST", headers, body }));
    }
    const asking = new URL(url);
    for (const [name, value] of query) asking.searchParams.set(name, value);
    const headers: Record<string, string> =
      credentials === undefined ? {} : { authorization: basic(credentials) };
    return await this.#patiently(() => this.#send(about, asking, { method: "GET", headers }));
  }
}

/** What is sent to an address. */
interface Sent {
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

function optionsOf({ signal }: RepositoryOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function basic(credentials: { readonly username: string; readonly password: string }): string {
  const { username, password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** `Retry-After`, as seconds or as a date; a longer one than a minute is not waited for to its end. */
function askedWait(answer: RegistryAnswer): number | undefined {
  const [text] = [answer.headers["retry-after"] ?? []].flat();
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), WAIT_MAX_MS) : undefined;
}

/** Text of a body, of which only the beginning is read. */
async function textOf(answer: RegistryAnswer, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const part of answer.body as AsyncIterable<Uint8Array>) {
      parts.push(part);
      total += part.byteLength;
      if (total > bytesMax) break;
    }
  } catch {
    // what was read says what there is to say
  }
  return Buffer.concat(parts).toString("utf8", 0, Math.min(total, bytesMax));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
