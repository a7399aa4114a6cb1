import * as z from "zod";
import { field } from "./field.ts";

/** The network that the containers of a pod share. */
export const Network = z.strictObject({
  mode: field(z.enum(["none", "host"]), {
    description: "none: a network namespace with a loopback only; host: the host's own network.",
    change: "replace",
    default: "none",
  }),
});
/** See the schema of the same name. */
export type Network = z.infer<typeof Network>;

/** A port of the host that a pod answers on. */
export const Port = z.strictObject({
  host: field(z.int().min(1).max(65_535), { description: "Port of the host.", unit: "port" }),
  container: field(z.int().min(1).max(65_535), {
    description: "Port in the container; in the host's network the two are one.",
    unit: "port",
  }).optional(),
  protocol: field(z.enum(["tcp", "udp"]), {
    description: "Protocol of the port.",
    default: "tcp",
  }).optional(),
});
/** See the schema of the same name. */
export type Port = z.infer<typeof Port>;

/** Key of a port on its host: `80/tcp`. */
export function portKey(port: {
  readonly host: number;
  readonly protocol?: string | undefined;
}): string {
  return `${port.host}/${port.protocol ?? "tcp"}`;
}
