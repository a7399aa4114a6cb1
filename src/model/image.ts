import * as z from "zod";
import { field } from "./field.ts";
import { Digest } from "./names.ts";

/** Where the bytes of an image come from, beside its registry, and which ones they must be. */
export const ImageSpec = z
  .strictObject({
    layout: field(z.string().min(1), {
      description: "OCI layout directory that holds it, absolute or relative to the manifest.",
      unit: "path",
    }).optional(),
    archive: field(z.string().min(1), {
      description:
        "OCI archive (tar of a layout) that holds it, absolute or relative to the manifest.",
      unit: "path",
    }).optional(),
    digest: field(Digest, {
      description: "Digest that the index or the platform's manifest must have.",
    }).optional(),
  })
  .refine(
    (image) => image.layout === undefined || image.archive === undefined,
    "must have a layout or an archive, not both",
  );
/** See the schema of the same name. */
export type ImageSpec = z.infer<typeof ImageSpec>;
