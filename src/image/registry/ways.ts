import { StowageError } from "../../errors/index.ts";
import type { ImageReference, RegistrySpec } from "../../model/index.ts";
import type { Patience } from "./answer-waits.ts";
import type { RegistryPlace } from "./host-places.ts";

/** How registries are reached. */
export interface RegistriesOptions {
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
  /** Whether the `registries.conf` of this machine counts for what neither says anything of. @defaultValue false */
  readonly readsRegistriesConf?: boolean | undefined;
  readonly patience?: Patience | undefined;
}

/** A reference as it is named somewhere, and where that is. */
export interface Way {
  readonly reference: ImageReference;
  /** Who names it, where that is not the fleet. */
  readonly by?: "hosts.toml" | "registries.conf";
  readonly place?: RegistryPlace;
  /** The registry that it stands for. */
  readonly registry?: string;
}

/** Where an image can be fetched, in order: as the fleet declares its registry, else as this machine does. */
export async function waysTo(
  reference: ImageReference,
  { declared = {}, hostsDirectory, readsRegistriesConf, env }: RegistriesOptions,
): Promise<readonly Way[]> {
  const { domain } = reference;
  const at = (place: string): ImageReference => ({
    ...reference,
    domain: place,
    repository: `${place}/${reference.path}`,
  });
  const spec = declared[domain];
  if (spec !== undefined)
    return [...(spec.mirrors ?? []).map((each) => ({ reference: at(each) })), { reference }];
  const { readHostPlaces, registryHost } = await import("./reach-registry.ts");
  const scheme = isLoopback(domain) ? "http" : "https";
  const server = `${scheme}://${registryHost(domain)}`;
  const places =
    hostsDirectory === undefined ? undefined : await readHostPlaces(hostsDirectory, domain, server);
  // a tag is asked for and read at one place
  const fit = places?.filter(
    ({ resolves, pulls }) => pulls && (resolves || reference.digest !== undefined),
  );
  if (fit === undefined)
    return readsRegistriesConf === true ? await configuredWays(reference, env) : [{ reference }];
  const ways = fit.map((place) => {
    const named = place.isMirror ? at(place.base.host) : reference;
    return { reference: named, place, registry: domain, by: "hosts.toml" } as const;
  });
  if (ways.length > 0) return ways;
  throw new StowageError(
    `Cannot ask for image "${reference.canonical}": the hosts.toml of registry ${domain} allows no host for it; fix it, or declare the registry`,
    { code: "failed_precondition", context: { domain } },
  );
}

/** Where an image can be fetched by this machine's `registries.conf`. */
async function configuredWays(
  reference: ImageReference,
  env: RegistriesOptions["env"],
): Promise<readonly Way[]> {
  const { configuredPlaces, insecurePlaces } = await import("./reach-registry.ts");
  const isPinned = reference.digest !== undefined;
  const places = await configuredPlaces(reference.repository, isPinned, env);
  if (places === undefined) return [{ reference }];
  return places.flatMap(({ domain, path, isInsecure }): readonly Way[] => {
    const named = { ...reference, domain, path, repository: `${domain}/${path}` };
    const at = { reference: named, by: "registries.conf" } as const;
    if (!isInsecure || isLoopback(domain)) return [at];
    return insecurePlaces(domain).map((place) => ({ ...at, place }));
  });
}

/** Registries of this machine are spoken with in the clear: nothing leaves it. */
export function isLoopback(domain: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(domain);
}
