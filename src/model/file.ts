import * as z from "zod";
import { field } from "./field.ts";
import { Mode } from "./names.ts";
import { SecretSource } from "./secret.ts";
import { OwnerNumber } from "./values.ts";

/** A file may have this many bytes: it is held in the manifest, in records and in memory. */
export const FILE_BYTES_MAX = 1024 * 1024;

/** A file of a container: exactly one of `content`, `base64` and `secret` says what is in it. */
export const FileSpec = z.strictObject({
  content: field(z.string().max(FILE_BYTES_MAX), {
    description: "Content, as text.",
    long: true,
  }).optional(),
  base64: field(
    z
      .string()
      .max(4 * Math.ceil(FILE_BYTES_MAX / 3))
      .regex(
        /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
        "must be base64 with its padding",
      ),
    { description: "Content, as base64.", long: true },
  ).optional(),
  secret: field(SecretSource, {
    description: "Source of a secret value; the file is kept in the host's memory.",
  }).optional(),
  uid: field(OwnerNumber, {
    description: "Owner. Without it: the container's `user` if that is a number, or root.",
  }).optional(),
  gid: field(OwnerNumber, {
    description:
      "Group. Without it: that of the container's `user` if that is a number, or root's.",
  }).optional(),
  mode: field(Mode, {
    description: "Mode. Without it: 0444, or 0400 for a secret.",
    unit: "octal",
  }).optional(),
});
/** See the schema of the same name. */
export type FileSpec = z.infer<typeof FileSpec>;
