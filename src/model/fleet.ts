import * as z from "zod";
import { field } from "./field.ts";
import { HostSpec } from "./host.ts";
import { ImageSpec } from "./image.ts";
import { isImageReference } from "./image-reference.ts";
import { Name, OwnerId } from "./names.ts";
import { NetworkSpec } from "./network.ts";
import { RegistryDomain, RegistrySpec } from "./registry.ts";

/** Version of the manifest's form that this program writes and reads. */
export const MANIFEST_VERSION = "stowage/v1";

/** A fleet as its manifest declares it: plain data, no secrets. */
export const FleetManifest = z.strictObject({
  version: field(z.literal(MANIFEST_VERSION), { description: "Version of the manifest format." }),
  name: field(Name, { description: "Name of the fleet." }),
  id: field(OwnerId, {
    description: "Owner. Fleets with the same name and different owners never touch each other.",
  }),
  formerly: field(Name, {
    description: "Former name of the fleet, whose pods are taken over.",
  }).optional(),
  images: field(
    z.record(z.string().refine(isImageReference, "must be an image reference"), ImageSpec),
    {
      description: "Sources of images, by the reference that containers use.",
    },
  ).optional(),
  registries: field(z.record(RegistryDomain, RegistrySpec), {
    description:
      "How registries are reached, by their domain in references. Logins are not declared: those of docker login and podman login are used.",
  }).optional(),
  networks: field(z.record(Name, NetworkSpec), {
    description: "Bridge networks that its pods can be in, by name.",
  }).optional(),
  hosts: field(z.record(Name, HostSpec), { description: "Its hosts, by name." }),
});
/** See the schema of the same name. */
export type FleetManifest = z.infer<typeof FleetManifest>;

/** The names under which a host may have files of a fleet: its own, and then its former one. */
export function fleetNames({
  name,
  formerly,
}: Pick<FleetManifest, "name" | "formerly">): readonly string[] {
  return formerly === undefined ? [name] : [name, formerly];
}

/** The same with the owner before them, `OWNER/FLEET`, as rosters and records are found by. */
export function fleetKeys(
  fleet: Pick<FleetManifest, "id" | "name" | "formerly">,
): readonly string[] {
  return fleetNames(fleet).map((name) => `${fleet.id}/${name}`);
}
