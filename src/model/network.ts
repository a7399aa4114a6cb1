import * as z from "zod";
import { field } from "./field.ts";
import { AbsolutePath, Name } from "./names.ts";

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ADDRESS = `${OCTET}(?:\\.${OCTET}){3}`;

/** An IPv4 address. */
export const Address = z
  .string()
  .regex(new RegExp(`^${ADDRESS}$`), "must be an IPv4 address such as 10.0.0.1");

const Subnet = z
  .string()
  .regex(
    new RegExp(`^${ADDRESS}/(?:[89]|1\\d|2\\d)$`),
    "must be an IPv4 subnet of 8 to 29 bits such as 10.20.0.0/24",
  );

/** What a network is, beside its name. */
const networkShape = {
  subnet: field(Subnet, {
    description:
      "Addresses of the network on each host. Without it, each host chooses a free subnet.",
    change: "replace",
  }).optional(),
  internal: field(z.boolean(), {
    description: "No traffic can leave or enter the network.",
    change: "replace",
    default: false,
  }).optional(),
  dns: field(z.array(Address).min(1).max(3).readonly(), {
    description:
      "Name servers of its pods. Without it: those of the host that are not on its loopback.",
    change: "replace",
  }).optional(),
};

/** A bridge network of a fleet: on each host where a pod is in it, one of its own. */
export const NetworkSpec = z.strictObject(networkShape);
/** See the schema of the same name. */
export type NetworkSpec = z.infer<typeof NetworkSpec>;

/** Where a network of a host's own is described, and the programs that make it. */
export const CniNetwork = z.strictObject({
  name: field(
    z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/,
        "must be a CNI name: letters, digits, underscores, dots and dashes",
      ),
    { description: "Name of the network in its CNI configuration.", change: "replace" },
  ),
  configDir: field(AbsolutePath, {
    description: "Directory of the host's CNI configuration.",
    change: "replace",
    unit: "path",
    default: "/etc/cni/net.d",
  }).optional(),
  pluginDirs: field(
    z
      .array(AbsolutePath.refine((path) => !path.includes(":"), "must have no colon"))
      .min(1)
      .max(8)
      .readonly(),
    {
      description: "Directories of the host's CNI plugins, searched in this order.",
      change: "replace",
      default: ["/opt/cni/bin", "/usr/lib/cni"],
    },
  ).optional(),
});
/** See the schema of the same name. */
export type CniNetwork = z.infer<typeof CniNetwork>;

/** The network that the containers of a pod share. */
export const Network = z.strictObject({
  mode: field(z.enum(["none", "host", "bridge", "cni"]), {
    description:
      "none: a network namespace with a loopback only; host: the host's own network; bridge: a network of the fleet; cni: one of the host's CNI configuration.",
    change: "replace",
    default: "none",
  }),
  name: field(Name, {
    description: "With mode bridge: which of the fleet's networks.",
    change: "replace",
  }).optional(),
  ...networkShape,
  cni: field(CniNetwork, {
    description: "With mode cni: which network of the host's.",
    change: "replace",
  }).optional(),
});
/** See the schema of the same name. */
export type Network = z.infer<typeof Network>;

/** Whether a pod gets an address in a network that is made around its engine. */
export function isNetworked({ network }: { readonly network?: Network | undefined }): boolean {
  return network?.mode === "bridge" || network?.mode === "cni";
}

/** A port of the host that a pod answers on. */
export const Port = z.strictObject({
  host: field(z.int().min(1).max(65_535), { description: "Port of the host.", unit: "port" }),
  container: field(z.int().min(1).max(65_535), {
    description:
      "Port in the container. Without it: the same port, the only choice in the host's network.",
    unit: "port",
  }).optional(),
  protocol: field(z.enum(["tcp", "udp"]), {
    description: "Protocol of the port.",
    default: "tcp",
  }).optional(),
  hostIp: field(Address, {
    description: "With mode bridge or cni: address of the host to publish it on. Without it: all.",
  }).optional(),
});
/** See the schema of the same name. */
export type Port = z.infer<typeof Port>;

/** What tells a port of a host from others. */
export interface PortOfHost {
  readonly host: number;
  readonly protocol?: string | undefined;
  readonly hostIp?: string | undefined;
}

/** Key of a port on its host: `80/tcp`, of one address alone `10.0.0.1:80/tcp`. */
export function portKey({ host, protocol, hostIp }: PortOfHost): string {
  return `${hostIp === undefined ? "" : `${hostIp}:`}${host}/${protocol ?? "tcp"}`;
}

/** Whether two ports of a host are, on some address, one. */
export function isSamePort(one: PortOfHost, other: PortOfHost): boolean {
  if (one.host !== other.host || (one.protocol ?? "tcp") !== (other.protocol ?? "tcp"))
    return false;
  return one.hostIp === undefined || other.hostIp === undefined || one.hostIp === other.hostIp;
}
