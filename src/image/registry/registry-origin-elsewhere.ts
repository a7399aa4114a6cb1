import { StowageError } from "../../errors/index.ts";
import type { ImageReference } from "../../model/index.ts";
import type { Credentials } from "./docker-credentials.ts";
import type { RegistryOrigin } from "./registry-origin.ts";
import { isLoopback, type RegistriesOptions } from "./ways.ts";

/** One place of an image. */
interface Place {
  readonly domain: string;
  readonly path: string;
  readonly isPlain: boolean;
}

/**
 * What a program of another machine needs that pulls an image: nothing of how this machine reaches
 * registries is said of that one, neither proxies nor files.
 *
 * @param reference pinned to a digest
 */
export function registryOriginElsewhere(
  reference: ImageReference,
  { env, declared = {} }: RegistriesOptions,
  signal?: AbortSignal,
): RegistryOrigin {
  const { domain, path, digest = "" } = reference;
  const places = [...(declared[domain]?.mirrors ?? []), domain].map(
    (name): Place => ({
      domain: name,
      path,
      isPlain: declared[name]?.plainHttp ?? isLoopback(name),
    }),
  );
  const credentialsOf = async (place: Place): Promise<Credentials | undefined> => {
    const { dockerCredentials } = await import("./reach-registry.ts");
    return await dockerCredentials(place.domain, place.path, env);
  };
  return {
    repository: reference.repository,
    isPlain: places.at(-1)?.isPlain === true,
    mirrors: places.slice(0, -1).map(({ isPlain, ...at }) => ({
      repository: `${at.domain}/${at.path}`,
      isPlain,
    })),
    env: {},
    credentials: async () => {
      const found = new Map<string, Credentials>();
      for (const place of places) {
        const credentials = await credentialsOf(place);
        if (credentials !== undefined) found.set(place.domain, credentials);
      }
      return found;
    },
    proofs: async () => {
      const { RegistryClient } = await import("./reach-registry.ts");
      const found = new Map<string, string>();
      for (const place of places) {
        const credentials = await credentialsOf(place);
        // who has no login is let in without one, or not at all
        if (credentials === undefined) continue;
        const about = { ...place, registry: domain, env, signal };
        await using client = new RegistryClient({ ...about, credentials: async () => credentials });
        const proof = await provenTo(client, place, digest);
        if (proof !== undefined) found.set(place.domain, proof);
      }
      return found;
    },
  };
}

/** What a registry took as a proof; a mirror that is away is passed over by whoever pulls. */
async function provenTo(
  client: {
    prove(path: string, asked: { domain: string; doing: string }): Promise<string | undefined>;
  },
  { domain, path }: Place,
  digest: string,
): Promise<string | undefined> {
  const doing = `look for "${digest}" in ${domain}/${path}`;
  try {
    return await client.prove(`manifests/${digest}`, { domain, doing });
  } catch (error) {
    if (StowageError.is(error)) return undefined;
    throw error;
  }
}
