import * as z from "zod";
import { field } from "./field.ts";
import { waitMs } from "./values.ts";

/** How the pods of one service follow each other when they change. */
export const Rollout = z.strictObject({
  canary: field(z.int().min(1), {
    description:
      "Pods changed first; the others wait until they are proven, and one that fails ends the rollout. None where pods of the service run as declared already.",
  }).optional(),
  maxUnavailable: field(z.int().min(1), {
    description:
      "Pods of the service that may be down at once, and so the size of a wave; without it and maxSurge, all of them.",
  }).optional(),
  maxSurge: field(z.int().min(1), {
    description:
      "Pods of the service that may be there in two generations at once: the new one is started and proven before the old one is stopped.",
  }).optional(),
  pauseMs: field(waitMs(0), {
    description: "Time between the end of a wave and the beginning of the next.",
    unit: "ms",
    default: 0,
  }).optional(),
  healthTimeMs: field(waitMs(0), {
    description: "How long a pod that was changed has to stay healthy before it counts.",
    unit: "ms",
    default: 0,
  }).optional(),
  abortAfter: field(z.int().min(1), {
    description: "Pods that may fail until no further one is changed.",
    default: 1,
  }).optional(),
  rollback: field(z.enum(["none", "wave", "all"]), {
    description:
      "What goes back when it was given up, beside the pods that failed, which always do: nothing, the pods of the last wave, or all that were changed by this apply.",
    default: "none",
  }).optional(),
});
/** See the schema of the same name. */
export type Rollout = z.infer<typeof Rollout>;
