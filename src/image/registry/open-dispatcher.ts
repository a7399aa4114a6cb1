import { rootCertificates } from "node:tls";
import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import type { RegistryPlace } from "./host-places.ts";

/** Time in which a connection is made, with what its TLS asks for. */
export const CONNECT_MS = 10_000;

/**
 * What connects to a registry: by a proxy where the environment names one, and with what its place says of TLS.
 *
 * @param answerMs time in which an answer begins, and in which each of its pieces comes
 */
export function openDispatcher(
  env: Readonly<Record<string, string | undefined>>,
  isPlain: boolean,
  place: RegistryPlace | undefined,
  answerMs: number,
): Dispatcher {
  const tls = tlsOf(place);
  const timeouts = {
    connect: { timeout: CONNECT_MS, ...tls },
    requestTls: tls,
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
  };
  const proxies = {
    httpProxy: env["http_proxy"] ?? env["HTTP_PROXY"],
    httpsProxy: env["https_proxy"] ?? env["HTTPS_PROXY"],
  };
  // nobody's registry on this machine is behind a proxy
  const isProxied = !isPlain && Object.values(proxies).some((proxy) => proxy !== undefined);
  const noProxy = env["no_proxy"] ?? env["NO_PROXY"] ?? "";
  return isProxied
    ? new EnvHttpProxyAgent({ ...timeouts, ...withoutAbsent(proxies), noProxy })
    : new Agent(timeouts);
}

function tlsOf(place: RegistryPlace | undefined) {
  const { ca, cert, key, rejectUnauthorized } = place?.tls ?? {};
  return withoutAbsent({
    // beside the usual ones, as containerd has it
    ca: ca === undefined ? undefined : [...rootCertificates, ...ca],
    cert: cert === undefined ? undefined : [...cert],
    key: key === undefined ? undefined : [...key],
    rejectUnauthorized,
  });
}

function withoutAbsent<T extends object>(values: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: NonNullable<T[Key]>;
  };
}
