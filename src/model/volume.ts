import * as z from "zod";
import { field } from "./field.ts";
import { AbsolutePath, Mode, Name, ProlongedPath } from "./names.ts";
import { OwnerNumber } from "./values.ts";

/** A volume of a pod: where its data lies. Containers mount it by its name. */
export const Volume = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("named"),
    name: field(Name, {
      description:
        "Name of the fleet's volume on the host: one directory, shared by the pods that name it.",
    }),
    uid: field(OwnerNumber, {
      description: "Owner given to the directory when it is created.",
      change: "live",
    }).optional(),
    gid: field(OwnerNumber, {
      description: "Group given to the directory when it is created.",
      change: "live",
    }).optional(),
    mode: field(Mode, {
      description: "Mode given to the directory when it is created.",
      change: "live",
      unit: "octal",
      default: "0755",
    }).optional(),
  }),
  z.strictObject({
    kind: z.literal("bind"),
    path: field(AbsolutePath, {
      description: "File or directory on the host; it must exist.",
      unit: "path",
    }),
  }),
  z.strictObject({
    kind: z.literal("tmpfs"),
    sizeBytes: field(z.int().positive(), {
      description: "Largest size.",
      unit: "bytes",
    }).optional(),
    mode: field(Mode, {
      description: "Mode of its root directory.",
      unit: "octal",
      default: "1777",
    }).optional(),
  }),
]);
/** See the schema of the same name. */
export type Volume = z.infer<typeof Volume>;

/** Where a container sees a volume of its pod. */
export const Mount = z.strictObject({
  volume: field(Name, { description: "Name of the pod's volume." }),
  path: field(ProlongedPath, { description: "Path in the container.", unit: "path" }),
  readOnly: field(z.boolean(), { description: "Mounts it read-only.", default: false }).optional(),
});
/** See the schema of the same name. */
export type Mount = z.infer<typeof Mount>;
