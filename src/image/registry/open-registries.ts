import { StowageError } from "../../errors/index.ts";
import type { ImageReference } from "../../model/index.ts";
import type { ImageSource } from "../blob-source.ts";
import type { RegistryWait } from "./answer-waits.ts";
import type { Credentials } from "./docker-credentials.ts";
import type { RegistryOrigin } from "./registry-origin.ts";
import { isLoopback, type RegistriesOptions, type Way, waysTo } from "./ways.ts";

/** What is said while an image is looked for. */
export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told when a registry is long in answering. */
  readonly onWait?: ((wait: RegistryWait) => void) | undefined;
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
  open(reference: ImageReference, options?: OpenOptions): Promise<ImageSource>;
  /**
   * What a program needs that pulls by itself, as this machine has it set up; undefined where the fleet says, or
   * a file of containerd's, how the registry is reached: it knows nothing of that.
   */
  origin(reference: ImageReference): Promise<RegistryOrigin | undefined>;
  /** Whether another machine may ask the same registry: this machine's loopback is nobody else's. */
  isElsewhere(reference: ImageReference): boolean;
  /** What a program of another machine needs that pulls by itself: what the fleet says, and the user's credentials. */
  originElsewhere(reference: ImageReference, signal?: AbortSignal): Promise<RegistryOrigin>;
}

/**
 * The registries of image references, with the credentials that the user has for them. What it takes to
 * speak with one is loaded with the first.
 */
export function openRegistries(options: RegistriesOptions): Registries {
  return {
    has: ({ domain }) => domain !== "localhost",
    open: async (reference, how = {}) => {
      const ways = await waysTo(reference, options);
      const passedOver: string[] = [];
      for (const way of ways.slice(0, -1)) {
        try {
          return await openOne(way, options, how);
        } catch (error) {
          how.signal?.throwIfAborted();
          const name = way.reference.domain;
          passedOver.push(StowageError.from(error, `Cannot ask mirror ${name}`).message);
        }
      }
      try {
        return await openOne(ways.at(-1) ?? { reference }, options, how);
      } catch (error) {
        throw passedOver.length === 0 ? error : withMirrors(error, passedOver);
      }
    },
    origin: async (reference) => {
      const { registryOrigin } = await import("./registry-origin.ts");
      const ways = await waysTo(reference, options);
      return registryOrigin(reference, ways, options);
    },
    isElsewhere: ({ domain }) => domain !== "localhost" && !isLoopback(domain),
    originElsewhere: async (reference, signal) => {
      const { registryOriginElsewhere } = await import("./registry-origin-elsewhere.ts");
      return registryOriginElsewhere(reference, options, signal);
    },
  };
}

/** An error of a registry that tells why its mirrors were passed over as well. */
function withMirrors(error: unknown, passedOver: readonly string[]): unknown {
  if (!StowageError.is(error)) return error;
  const { message, code, context, retryable } = error;
  const before = `its mirrors were tried first: ${passedOver.join("; ")}`;
  return new StowageError(`${message}; ${before}`, { code, context, retryable, cause: error });
}

async function openOne(
  { reference, place, registry }: Way,
  { env, declared = {}, patience }: RegistriesOptions,
  how: OpenOptions,
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
    patience,
    ...how,
  });
  try {
    return await openRegistryImage(client, reference);
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}
