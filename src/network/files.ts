import * as z from "zod";
import type { PodInstance } from "../engine/index.ts";
import { Address, Name, networkSpecOf, OwnerId, Port } from "../model/index.ts";

const VERSION = 1;

const Subnet = z.string().regex(/^[0-9.]{7,15}\/\d{1,2}$/);

/** What a network of a host is. */
export const NetworkFile = z.strictObject({
  version: z.literal(VERSION),
  owner: OwnerId,
  fleet: Name,
  host: Name,
  name: Name,
  subnet: Subnet,
  internal: z.boolean(),
  dns: z.array(Address).readonly(),
});
/** See the schema of the same name. */
export type NetworkFile = z.infer<typeof NetworkFile>;

/** A generation of a pod that is in a network. */
export const PodFile = z.strictObject({
  version: z.literal(VERSION),
  /** The engine that runs it; others know nothing of it. */
  engine: z.string(),
  identity: z.strictObject({
    owner: OwnerId,
    fleet: Name,
    host: Name,
    pod: Name,
    generation: z.int().min(1),
  }),
  names: z.array(z.string().regex(/^[A-Za-z0-9.-]+$/)).readonly(),
  ports: z.array(Port).readonly(),
  /** Absent: it is prepared, or stopped. */
  address: Address.optional(),
  /** Its ports lead to another generation of the pod for now. */
  aside: z.literal(true).optional(),
});
/** See the schema of the same name. */
export type PodFile = z.infer<typeof PodFile>;

/** Reads a file of ours; undefined when it is none: it is created again. */
export function readFile<T>(schema: z.ZodType<T>, text: string | Error | undefined): T | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What a network is to be, with the subnet that it has on this host. */
export function networkFileOf({ identity, spec }: PodInstance, subnet: string): NetworkFile {
  const { owner, fleet, host } = identity;
  const { internal = false, dns = [] } = networkSpecOf(spec);
  const name = spec.network?.name ?? "";
  return { version: VERSION, owner, fleet, host, name, subnet, internal, dns };
}

/** What is to be known of a generation in its network. */
export function podFileOf(
  { identity, spec }: PodInstance,
  engine: string,
  address: string | undefined,
  isAside = false,
): PodFile {
  const { owner, fleet, host, pod, generation } = identity;
  const hostname = spec.hostname ?? pod;
  return {
    version: VERSION,
    engine,
    identity: { owner, fleet, host, pod, generation },
    names: hostname === pod ? [pod] : [pod, hostname],
    ports: spec.ports ?? [],
    ...(address === undefined ? {} : { address }),
    ...(address === undefined || !isAside ? {} : { aside: true }),
  };
}

/** Whether two files are of generations of one pod. */
export function isOfSamePod(
  { identity: one }: Pick<PodFile, "identity">,
  { identity: other }: Pick<PodInstance, "identity">,
): boolean {
  return (
    one.owner === other.owner &&
    one.fleet === other.fleet &&
    one.host === other.host &&
    one.pod === other.pod
  );
}

/**
 * The files of a pod's generations that have to change so that exactly one of those with an address has the
 * pod's ports: the one that takes them, else the newest where none has them.
 */
export function portTurn(files: readonly PodFile[], taker?: PodFile): readonly PodFile[] {
  const attached = files.filter(({ address }) => address !== undefined);
  const holder =
    attached.find((each) => each === taker) ??
    attached.find(({ aside }) => aside === undefined) ??
    attached.toSorted((a, b) => b.identity.generation - a.identity.generation)[0];
  if (holder === undefined) return [];
  return attached.flatMap((each): readonly PodFile[] => {
    const { aside, ...rest } = each;
    if (each === holder) return aside === undefined ? [] : [rest];
    return taker === undefined || aside === true ? [] : [{ ...rest, aside: true }];
  });
}
