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
      "It speaks HTTP without TLS: whoever is on the way sees and alters what it says, and the login. Registries on loopback always may.",
    default: false,
  }).optional(),
  mirrors: field(z.array(RegistryDomain).min(1).readonly(), {
    description:
      "Registries that hold the same repositories, asked before it, in this order. One that is away, or has not got an image, is passed over.",
  }).optional(),
});
/** See the schema of the same name. */
export type RegistrySpec = z.infer<typeof RegistrySpec>;
