import * as z from "zod";
import { field } from "./field.ts";

const Capability = z
  .string()
  .regex(/^(?:ALL|CAP_[A-Z_]+)$/, "must be ALL or a capability's name such as CAP_NET_ADMIN");

/** What a container may do beyond, or less than, the field's default profile. */
export const Security = z.strictObject({
  privileged: field(z.boolean(), {
    description: "Gives all capabilities and devices, and removes masks and filters.",
    change: "replace",
    default: false,
  }).optional(),
  capabilitiesAdd: field(z.array(Capability).readonly(), {
    description: "Capabilities added to the default ones; ALL for every one.",
    change: "replace",
    set: true,
  }).optional(),
  capabilitiesDrop: field(z.array(Capability).readonly(), {
    description: "Capabilities removed from the default ones; ALL for every one.",
    change: "replace",
    set: true,
  }).optional(),
  seccomp: field(z.enum(["default", "unconfined"]), {
    description: "System call filter: the default profile, or none.",
    change: "replace",
    default: "default",
  }).optional(),
  noNewPrivileges: field(z.boolean(), {
    description: "Prevents processes from gaining privileges through set-uid programs.",
    change: "replace",
    default: true,
  }).optional(),
  unmaskPaths: field(z.boolean(), {
    description: "Leaves the sensitive paths of /proc and /sys unmasked and writable.",
    change: "replace",
    default: false,
  }).optional(),
});
/** See the schema of the same name. */
export type Security = z.infer<typeof Security>;
