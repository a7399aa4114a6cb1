import * as z from "zod";
import { EngineConfig } from "./engine-config.ts";
import { engineIdentity } from "./engine-identity.ts";
import { field } from "./field.ts";
import { Name, ProlongedPath } from "./names.ts";
import { PodSpec } from "./pod.ts";

/**
 * Neither user nor host begins as an option of ssh does; a password has no place in it. What an address
 * means something else by is written as `%40` in both of them.
 */
const ADDRESS =
  /^(?:local|ssh:\/\/(?:(?!-|%2[Dd])(?:[^\s@:/?#%]|%[2-6][0-9A-Fa-f]|%7[0-9A-Ea-e])+@)?(?:\[[\w:.%]+\]|(?!-|%2[Dd])(?:[^\s@:/?#[\]%]|%[2-6][0-9A-Fa-f]|%7[0-9A-Ea-e])+)(?::\d{1,5})?\/?)$/;

/** Ways for an image to come to a host. */
export const PULL_WAYS = ["host", "controller", "never"] as const;
/** Who gets an image that a host lacks. */
export type PullWay = (typeof PULL_WAYS)[number];

/** A Linux machine, the engine it runs and the pods that belong on it. */
export const HostSpec = z.strictObject({
  address: field(z.string().regex(ADDRESS, 'must be "local" or ssh://user@host:port'), {
    description:
      "Address: local, or ssh://user@host:port. User and port are optional, and the host may be an alias: your ssh configuration applies. An @ in a user name is written as %40.",
  }),
  labels: field(z.record(z.string().min(1).max(256), z.string().max(1024)), {
    description: "Labels of your choice, to place services by.",
  }).optional(),
  engine: field(EngineConfig, { description: "Engine that runs its pods." }),
  pull: field(z.enum(PULL_WAYS), {
    description:
      "Who fetches an image that the host lacks. host: the host pulls it from the registry. controller: the machine that Stowage runs on sends what is missing. never: nobody; it must be there already. Without it, a host over ssh pulls, and is sent what it cannot pull.",
  }).optional(),
  pullBytesPerSecond: field(z.int().min(4096), {
    description: "Highest rate at which images are sent to it, in bytes per second.",
    unit: "bytes",
  }).optional(),
  stateDir: field(ProlongedPath, {
    description: "Directory for records, volumes and logs.",
    unit: "path",
    default: "/var/lib/stowage",
  }).optional(),
  runDir: field(ProlongedPath, {
    description: "Directory for state that a reboot clears: the lock, network namespaces.",
    unit: "path",
    default: "/run/stowage",
  }).optional(),
  pods: field(z.record(Name, PodSpec), {
    description: "Pods of the host, by name.",
  }).optional(),
});
/** See the schema of the same name. */
export type HostSpec = z.infer<typeof HostSpec>;

/** Where Stowage keeps what it writes on a host. */
export interface HostDirectories {
  readonly stateDir: string;
  readonly runDir: string;
}

/** The directories of a host with everything that was not set filled in. */
export function hostDirectories(host: Pick<HostSpec, "stateDir" | "runDir">): HostDirectories {
  return { stateDir: host.stateDir ?? "/var/lib/stowage", runDir: host.runDir ?? "/run/stowage" };
}

/**
 * What only one host of a fleet may have: its directories on a machine, and an engine there. Of a simulated one
 * it is the file that it lives in; one that has none is a machine of its own.
 */
export function hostPlaces(host: Omit<HostSpec, "pods">): {
  readonly files?: string;
  readonly engine?: string;
} {
  const { address, engine } = host;
  if (engine.kind === "sim")
    return engine.file === undefined ? {} : { files: `file ${engine.file}` };
  return {
    files: `${address} ${hostDirectories(host).stateDir}`,
    engine: `${address} ${engineIdentity(engine)}`,
  };
}

/** Words for what only one host of a fleet may have: two declarations that share one mean the same host, whatever it is called. */
export function placeWords(host: Omit<HostSpec, "pods">): readonly string[] {
  return Object.entries(hostPlaces(host)).map(([kind, place]) => `${kind} ${place}`);
}
