import type { ImageReference } from "../../model/index.ts";
import type { Credentials } from "./docker-credentials.ts";
import { isLoopback, type Way } from "./ways.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What of the user's environment is for whoever speaks with registries. */
const PASSED = [
  ...["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"],
  "CONTAINERS_REGISTRIES_CONF",
];

/** What a program needs that pulls an image by itself. */
export interface RegistryOrigin {
  /** Domain and path. */
  readonly repository: string;
  /** Whether it is spoken with in the clear. */
  readonly isPlain: boolean;
  /** Repositories that are asked before it. */
  readonly mirrors?: readonly { readonly repository: string; readonly isPlain: boolean }[];
  /** Proxies, and where the configuration is. */
  readonly env: Readonly<Record<string, string>>;
  /** What the user has for each domain that may be asked; never shown. */
  credentials(): Promise<ReadonlyMap<string, Credentials>>;
  /** Headers that prove it for a while, by domain, where a registry asks for a proof; never shown. */
  proofs?(): Promise<ReadonlyMap<string, string>>;
}

/** @param ways to it; undefined comes back where they are not the machine's own */
export function registryOrigin(
  { repository, domain }: ImageReference,
  ways: readonly Way[],
  options: {
    readonly env: Environment;
    readonly declared?: Readonly<Record<string, unknown>> | undefined;
  },
): RegistryOrigin | undefined {
  const { env, declared } = options;
  if (declared?.[domain] !== undefined || ways.some(({ by }) => by === "hosts.toml"))
    return undefined;
  const passed = PASSED.flatMap((name) => {
    const value = env[name];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  return {
    repository,
    isPlain: isLoopback(domain) && ways.every((way) => isLoopback(way.reference.domain)),
    env: Object.fromEntries(passed),
    credentials: async () => {
      const { dockerCredentials } = await import("./reach-registry.ts");
      const found = new Map<string, Credentials>();
      for (const { reference } of ways) {
        if (found.has(reference.domain)) continue;
        const credentials = await dockerCredentials(reference.domain, reference.path, env);
        if (credentials !== undefined) found.set(reference.domain, credentials);
      }
      return found;
    },
  };
}
