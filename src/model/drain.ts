import * as z from "zod";
import { field } from "./field.ts";
import { NoNul } from "./values.ts";

/** The longest that a stop may be held up. */
const DRAIN_MS_MAX = 3600 * 1000;

/** Time that draining may take when nothing is said. */
export const DRAIN_TIMEOUT_MS = 30_000;

/** What is done in a container that runs before it is asked to end. */
export const Drain = z.strictObject({
  command: field(z.array(NoNul).min(1).readonly(), {
    description: "Command run in the container. The stop continues even if it fails.",
  }).optional(),
  waitMs: field(z.int().min(1).max(DRAIN_MS_MAX), {
    description: "Time to wait after the command.",
    unit: "ms",
    default: 0,
  }).optional(),
  timeoutMs: field(z.int().min(1).max(DRAIN_MS_MAX), {
    description:
      "Most time that the command and the wait may take together. Then the stop continues.",
    unit: "ms",
    default: DRAIN_TIMEOUT_MS,
  }).optional(),
});
/** See the schema of the same name. */
export type Drain = z.infer<typeof Drain>;

/** The containers of a pod that are drained before a stop, by name. */
export function drains({
  containers,
}: {
  readonly containers: Readonly<Record<string, { readonly drain?: Drain | undefined }>>;
}): readonly (readonly [string, Drain])[] {
  return Object.entries(containers).flatMap(([name, { drain }]) =>
    drain === undefined ? [] : [[name, drain] as const],
  );
}
