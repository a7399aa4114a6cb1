import type { ImageReference } from "../../model/index.ts";
import type { ImageSource } from "../blob-source.ts";
import type { Credentials } from "./docker-credentials.ts";

interface RegistriesOptions {
  /** Where the user's credentials and proxies are looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
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
export function openRegistries({ env }: RegistriesOptions): Registries {
  return {
    has: ({ domain }) => domain !== "localhost",
    open: async (reference, signal) => {
      const { RegistryClient, openRegistryImage, dockerCredentials } = await import(
        "./reach-registry.ts"
      );
      const { domain, path } = reference;
      let found: Promise<Credentials | undefined> | undefined;
      const client = new RegistryClient({
        domain,
        path,
        isPlain: isLoopback(domain),
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
    },
  };
}

/** Registries of this machine are spoken with in the clear: nothing leaves it. */
function isLoopback(domain: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(domain);
}
