import * as z from "zod";
import type { PodInstance } from "../../engine/index.ts";
import { Address, CniNetwork } from "../../model/index.ts";
import { PodFile, podFileOf } from "../files.ts";

/** What is known of a generation in a network of the host's own; its address while it has one. */
export const CniPodFile = PodFile.extend({
  cni: CniNetwork,
  /** Digest of the configuration that it was attached by. */
  config: z.string().optional(),
  /** Whether the rules that lead its ports to it were seen then: plugins may lead them otherwise. */
  forwards: z.boolean().optional(),
});
/** See the schema of the same name. */
export type CniPodFile = z.infer<typeof CniPodFile>;

/** What is to be known of a generation that is not attached. */
export function cniPodFileOf(pod: PodInstance, engine: string): CniPodFile {
  return { ...podFileOf(pod, engine, undefined), cni: cniOf(pod) };
}

/** Which network of the host's a pod is declared to be in. */
export function cniOf({ spec }: PodInstance): CniNetwork {
  return spec.network?.cni ?? { name: "" };
}

/** What a plugin says it made: of the versions of CNI from 0.3.0 on, and of those before. */
const Result = z.looseObject({
  ips: z.array(z.looseObject({ address: z.string() })).optional(),
  ip4: z.looseObject({ ip: z.string() }).optional(),
  dns: z
    .looseObject({
      nameservers: z.array(z.string().max(64)).max(16).nullish(),
      domain: z.string().max(255).nullish(),
      search: z.array(z.string().max(255)).max(32).nullish(),
      options: z.array(z.string().max(64)).max(32).nullish(),
    })
    .optional(),
});

/** What of a result is of use. */
export interface CniResult {
  /** The first IPv4 address. */
  readonly address: string | undefined;
  /** Of resolv.conf; empty when it names no server. */
  readonly resolv: string;
}

/** Reads what the last plugin of a chain printed; undefined when it is no result. */
export function readResult(text: string): CniResult | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = Result.safeParse(value).data;
  if (result === undefined) return undefined;
  const { ips = [], ip4, dns } = result;
  const all = [...ips.map(({ address }) => address), ...(ip4 === undefined ? [] : [ip4.ip])];
  const address = all
    .map((each) => each.split("/")[0])
    .find((each) => Address.safeParse(each).success);
  return { address, resolv: resolvOf(dns) };
}

function resolvOf(dns: z.infer<typeof Result>["dns"]): string {
  const servers = dns?.nameservers ?? [];
  if (servers.length === 0) return "";
  const words: readonly (readonly [string, readonly string[]])[] = [
    ...servers.map((server) => ["nameserver", [server]] as const),
    ["domain", [dns?.domain ?? ""].filter((each) => each !== "")],
    ["search", dns?.search ?? []],
    ["options", dns?.options ?? []],
  ];
  return words
    .filter(([, values]) => values.length > 0)
    .map(([word, values]) => `${word} ${values.join(" ").replaceAll(/\s+/g, " ")}\n`)
    .join("");
}
