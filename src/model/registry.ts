import * as z from "zod";
import { field } from "./field.ts";

/** A registry as references name it: a host with a port where it is not the usual one. */
export const RegistryDomain = z
  .string()
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i,
    "must be a host name or address, with :port where it has one, such as registry.lan:5000",
  );

/** How a registry is reached. */
export const RegistrySpec = z.strictObject({
  plainHttp: field(z.boolean(), {
    description:
      "Use HTTP without TLS: anyone on the network path can read and alter the traffic, including the login. Always allowed for registries on loopback.",
    default: false,
  }).optional(),
  mirrors: field(z.array(RegistryDomain).min(1).readonly(), {
    description:
      "Mirrors: registries with the same repositories, asked before it, in this order. One that cannot be reached, or lacks an image, is skipped.",
  }).optional(),
});
/** See the schema of the same name. */
export type RegistrySpec = z.infer<typeof RegistrySpec>;
