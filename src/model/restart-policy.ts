import * as z from "zod";
import { field } from "./field.ts";

/** What happens when a process of a pod ends by itself. */
export const RestartPolicy = z.strictObject({
  policy: field(z.enum(["no", "on-failure", "always", "unless-stopped"]), {
    description:
      "When a container that exits by itself is restarted: by its engine, or by stowage watch if the engine does not.",
    change: "live",
    default: "no",
  }),
  maxRetries: field(z.int().min(1), {
    description: "Most restarts after failures; only with on-failure.",
    change: "live",
  }).optional(),
});
/** See the schema of the same name. */
export type RestartPolicy = z.infer<typeof RestartPolicy>;
