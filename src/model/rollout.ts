import * as z from "zod";
import { field } from "./field.ts";
import { waitMs } from "./values.ts";

/** How the pods of one service follow each other when they change. */
export const Rollout = z.strictObject({
  canary: field(z.int().min(1), {
    description:
      "Number of pods that change first. The others wait until these are proven, and one failure ends the rollout. Skipped if pods of the service already run as declared.",
  }).optional(),
  maxUnavailable: field(z.int().min(1), {
    description:
      "Number of pods of the service that may be down at once: the size of a wave. Without it and maxSurge: all.",
  }).optional(),
  maxSurge: field(z.int().min(1), {
    description:
      "Number of pods of the service that may run in two generations at once: the new one is started and proven before the old one is stopped.",
  }).optional(),
  pauseMs: field(waitMs(0), {
    description: "Time between the end of a wave and the beginning of the next.",
    unit: "ms",
    default: 0,
  }).optional(),
  healthTimeMs: field(waitMs(0), {
    description: "How long a changed pod must stay healthy before it counts as proven.",
    unit: "ms",
    default: 0,
  }).optional(),
  abortAfter: field(z.int().min(1), {
    description: "Number of failed pods after which no further pod is changed.",
    default: 1,
  }).optional(),
  rollback: field(z.enum(["none", "wave", "all"]), {
    description:
      "What is rolled back when the rollout is given up, besides the failed pods, which always are: nothing, the pods of the last wave, or all pods that this apply changed.",
    default: "none",
  }).optional(),
});
/** See the schema of the same name. */
export type Rollout = z.infer<typeof Rollout>;
