import type { ImageOrigin } from "../../../engine/index.ts";
import type { Host } from "../../../host/index.ts";

/** Where the host says itself how registries are reached. */
const OWN_HOSTS = "/etc/containerd/certs.d";

/** Domain by which Docker's own registry is spoken to. */
const DOCKER = { domain: "docker.io", host: "registry-1.docker.io" } as const;

/** A folder of hosts.toml files for one pull, or the host's own. */
export interface PullHosts {
  readonly directory: string;
  /** Whether it goes when the pull has ended. */
  readonly isOurs: boolean;
}

/**
 * Says to the host how a registry is reached, by a file that only root may read. Where there is nothing to say,
 * neither a login nor anything that the fleet declares, the host's own files count.
 *
 * @param directory where ours are
 */
export async function writePullHosts(
  host: Host,
  directory: string,
  origin: ImageOrigin,
  signal: AbortSignal | undefined,
): Promise<PullHosts> {
  const proofs = (await origin.proofs?.()) ?? new Map<string, string>();
  const { mirrors = [], repository, isPlain } = origin;
  if (proofs.size === 0 && mirrors.length === 0 && !isPlain)
    return { directory: OWN_HOSTS, isOurs: false };
  const domain = domainOf(repository);
  const text = hostsToml([...mirrors, { repository, isPlain }], proofs);
  const options = signal === undefined ? {} : { signal };
  await host.makeDirectory(directory, { mode: 0o700 }, options);
  await host.writeFile(`${directory}/${domain}/hosts.toml`, text, options);
  return { directory, isOurs: true };
}

/** The file's text; the last place is the registry itself. */
export function hostsToml(
  places: readonly { readonly repository: string; readonly isPlain: boolean }[],
  proofs: ReadonlyMap<string, string>,
): string {
  const address = ({ repository, isPlain }: (typeof places)[number]): string => {
    const domain = domainOf(repository);
    return `${isPlain ? "http" : "https"}://${domain === DOCKER.domain ? DOCKER.host : domain}`;
  };
  const own = places.at(-1);
  const tables = places.map((place) => {
    const proof = proofs.get(domainOf(place.repository));
    const lines = [
      `[host.${quoted(address(place))}]`,
      'capabilities = ["pull", "resolve"]',
      ...(proof === undefined
        ? []
        : [`[host.${quoted(address(place))}.header]`, `Authorization = [${quoted(proof)}]`]),
    ];
    return `${lines.join("\n")}\n`;
  });
  const server = own === undefined ? "" : `server = ${quoted(address(own))}\n`;
  return [server, ...tables].join("\n");
}

function domainOf(repository: string): string {
  return repository.slice(0, repository.indexOf("/"));
}

/** A string of TOML: JSON's are such where they hold no control characters but those that it escapes. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
