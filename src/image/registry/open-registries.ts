import { StowageError } from "../../errors/index.ts";
import type { ImageReference, RegistrySpec } from "../../model/index.ts";
import type { ImageSource } from "../blob-source.ts";
import type { Credentials } from "./docker-credentials.ts";

interface RegistriesOptions {
  /** Where the user's credentials and proxies are looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How registries are reached, by domain. @defaultValue over TLS, without mirrors */
  readonly declared?: Readonly<Record<string, RegistrySpec>> | undefined;
}

/** The registries that image references name. */
export interface Registries {
  /**
   * Whether a reference names a registry: `localhost` without a port is where tools put images that were
   * built here.
   */
  has(reference: ImageReference): boolean;
  /**
   * Finds what a reference leads to, by its tag or digest, and reads from there. Dispose it to close its
   * connections.
   *
   * @throws StowageError naming the registry, what it was asked, and what to do
   */
  open(reference: ImageReference, signal?: AbortSignal): Promise<ImageSource>;
}

/**
 * The registries of image references, with the credentials that the user has for them. What it takes to
 * speak with one is loaded with the first.
 */
export function openRegistries(options: RegistriesOptions): Registries {
  return {
    has: ({ domain }) => domain !== "localhost",
    open: async (reference, signal) => {
      const { domain, path } = reference;
      const passedOver: string[] = [];
      for (const mirror of options.declared?.[domain]?.mirrors ?? []) {
        const there = { ...reference, domain: mirror, repository: `${mirror}/${path}` };
        try {
          return await openOne(there, options, signal);
        } catch (error) {
          signal?.throwIfAborted();
          passedOver.push(StowageError.from(error, `Cannot ask mirror ${mirror}`).message);
        }
      }
      try {
        return await openOne(reference, options, signal);
      } catch (error) {
        throw passedOver.length === 0 ? error : withMirrors(error, passedOver);
      }
    },
  };
}

/** An error of a registry that tells why its mirrors were passed over as well. */
function withMirrors(error: unknown, passedOver: readonly string[]): unknown {
  if (!StowageError.is(error)) return error;
  const { message, code, context, retryable } = error;
  const before = `its mirrors were asked before: ${passedOver.join("; ")}`;
  return new StowageError(`${message}; ${before}`, { code, context, retryable, cause: error });
}

async function openOne(
  reference: ImageReference,
  { env, declared = {} }: RegistriesOptions,
  signal: AbortSignal | undefined,
): Promise<ImageSource> {
  const { RegistryClient, openRegistryImage, dockerCredentials } = await import(
    "./reach-registry.ts"
  );
  const { domain, path } = reference;
  let found: Promise<Credentials | undefined> | undefined;
  const client = new RegistryClient({
    domain,
    path,
    isPlain: declared[domain]?.plainHttp ?? isLoopback(domain),
    credentials: () => {
      found ??= dockerCredentials(domain, path, env);
      return found;
    },
    env,
    signal,
  });
  try {
    return await openRegistryImage(client, reference);
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

/** Registries of this machine are spoken with in the clear: nothing leaves it. */
function isLoopback(domain: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(domain);
}
