import type { NetworkFile, PodFile } from "./files.ts";

const LOCAL = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"];

/** Files that say which name servers the host has; the second where the first names one of its own. */
export const RESOLV_FILES = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] as const;

/** The names of all pods of a network that have an address; of a pod's generations the one with its ports comes first, then the newest. */
export function hostsText(pods: readonly PodFile[]): string {
  const lines = pods
    .filter(({ address }) => address !== undefined)
    .toSorted((a, b) => turn(a) - turn(b) || order(a) - order(b) || (keyOf(a) < keyOf(b) ? -1 : 1))
    .map(({ address, names }) => `${address}\t${names.join(" ")}`);
  return `${[...LOCAL, ...lines].join("\n")}\n`;
}

function turn({ aside }: PodFile): number {
  return aside === true ? 1 : 0;
}

function order({ identity }: PodFile): number {
  return -identity.generation;
}

function keyOf({ identity, address }: PodFile): string {
  return `${identity.pod} ${address}`;
}

/**
 * Name servers of a network's pods: the declared ones, else the host's but those on its loopback, which
 * pods cannot reach.
 */
export function resolvText(
  { dns, internal }: Pick<NetworkFile, "dns" | "internal">,
  files: ReadonlyMap<string, string | Error>,
): string {
  if (dns.length > 0) return dns.map((address) => `nameserver ${address}\n`).join("");
  if (internal) return "";
  for (const path of RESOLV_FILES) {
    const text = files.get(path);
    const lines = typeof text === "string" ? text.split("\n").filter(isOfUse) : [];
    if (lines.some((line) => line.startsWith("nameserver")))
      return lines.map((line) => `${line}\n`).join("");
  }
  return "";
}

function isOfUse(line: string): boolean {
  const [word, address = ""] = line.trim().split(/\s+/);
  if (word === "nameserver") return !/^(?:127\.|::1$)/.test(address);
  return word === "search" || word === "options" || word === "domain";
}
