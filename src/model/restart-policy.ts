import * as z from "zod";
import { field } from "./field.ts";

/** What happens when a process of a pod ends by itself. */
export const RestartPolicy = z.strictObject({
  policy: field(z.enum(["no", "on-failure", "always", "unless-stopped"]), {
    description:
      "When a container that ended by itself is started again: by its engine, or where that does not, by stowage watch.",
    change: "live",
    default: "no",
  }),
  maxRetries: field(z.int().min(1), {
    description: "Starts after a failure at most; only with on-failure.",
    change: "live",
  }).optional(),
});
/** See the schema of the same name. */
export type RestartPolicy = z.infer<typeof RestartPolicy>;
