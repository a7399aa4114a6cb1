import { StowageError } from "../../errors/index.ts";
import type { ImageReference, RegistrySpec } from "../../model/index.ts";
import type { ImageSource } from "../blob-source.ts";
import type { Credentials } from "./docker-credentials.ts";
import type { RegistryPlace } from "./host-places.ts";

interface RegistriesOptions {
  /** Where the user's credentials and proxies are looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How registries are reached, by domain. @defaultValue over TLS, without mirrors */
  readonly declared?: Readonly<Record<string, RegistrySpec>> | undefined;
  /**
   * Folder in which this machine says how registries are reached that are not declared.
   *
   * @defaultValue none
   */
  readonly hostsDirectory?: string | undefined;
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
      const ways = await waysTo(reference, options);
      const passedOver: string[] = [];
      for (const way of ways.slice(0, -1)) {
        try {
          return await openOne(way, options, signal);
        } catch (error) {
          signal?.throwIfAborted();
          const name = way.reference.domain;
          passedOver.push(StowageError.from(error, `Cannot ask mirror ${name}`).message);
        }
      }
      try {
        return await openOne(ways.at(-1) ?? { reference }, options, signal);
      } catch (error) {
        throw passedOver.length === 0 ? error : withMirrors(error, passedOver);
      }
    },
  };
}

/** A reference as it is named somewhere, and where that is. */
interface Way {
  readonly reference: ImageReference;
  readonly place?: RegistryPlace;
  /** The registry that it stands for. */
  readonly registry?: string;
}

/** Where an image may be had, in order: as the fleet declares its registry, else as this machine does. */
async function waysTo(
  reference: ImageReference,
  { declared = {}, hostsDirectory }: RegistriesOptions,
): Promise<readonly Way[]> {
  const { domain } = reference;
  const at = (place: string): ImageReference => ({
    ...reference,
    domain: place,
    repository: `${place}/${reference.path}`,
  });
  const spec = declared[domain];
  if (spec !== undefined || hostsDirectory === undefined)
    return [...(spec?.mirrors ?? []).map((each) => ({ reference: at(each) })), { reference }];
  const { readHostPlaces, registryHost } = await import("./reach-registry.ts");
  const scheme = isLoopback(domain) ? "http" : "https";
  const server = `${scheme}://${registryHost(domain)}`;
  const places = await readHostPlaces(hostsDirectory, domain, server);
  // a tag is asked for and read at one place
  const fit = places?.filter(
    ({ resolves, pulls }) => pulls && (resolves || reference.digest !== undefined),
  );
  if (fit === undefined) return [{ reference }];
  const ways = fit.map((place) => {
    const named = place.isMirror ? at(place.base.host) : reference;
    return { reference: named, place, registry: domain };
  });
  if (ways.length > 0) return ways;
  throw new StowageError(
    `Cannot ask for image "${reference.canonical}": the hosts.toml of registry ${domain} lets no host be asked for it; mend it, or declare the registry`,
    { code: "failed_precondition", context: { domain } },
  );
}

/** An error of a registry that tells why its mirrors were passed over as well. */
function withMirrors(error: unknown, passedOver: readonly string[]): unknown {
  if (!StowageError.is(error)) return error;
  const { message, code, context, retryable } = error;
  const before = `its mirrors were asked before: ${passedOver.join("; ")}`;
  return new StowageError(`${message}; ${before}`, { code, context, retryable, cause: error });
}

async function openOne(
  { reference, place, registry }: Way,
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
    isPlain:
      place === undefined
        ? (declared[domain]?.plainHttp ?? isLoopback(domain))
        : place.base.protocol === "http:",
    place,
    registry,
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
