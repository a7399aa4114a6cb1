import * as z from "zod";
import { field } from "./field.ts";
import { NoNul, waitMs } from "./values.ts";

const Port = z.int().min(1).max(65_535);

/** As it is sent: whatever else there is in it is written with percent signs. */
const UrlPath = z
  .string()
  .regex(
    /^\/[!-~]*$/,
    "must begin with / and have neither spaces nor other than ASCII characters: write them as %20",
  );

const timing = {
  intervalMs: field(waitMs(10), {
    description: "Time between two tries.",
    unit: "ms",
    default: 1000,
  }).optional(),
  timeoutMs: field(waitMs(10), {
    description: "Time that one try may take.",
    unit: "ms",
    default: 2000,
  }).optional(),
  retries: field(z.int().min(1), {
    description: "Consecutive failures, after the start period, that make it unhealthy.",
    default: 10,
  }).optional(),
  startPeriodMs: field(waitMs(0), {
    description: "Time after the start during which failures do not count.",
    unit: "ms",
    default: 0,
  }).optional(),
  whenUnhealthy: field(z.enum(["report", "restart"]), {
    description: "What stowage watch does when it is unhealthy: report it, or restart the pod.",
    default: "report",
  }).optional(),
};

/** How to find out that a container does its work; a replacement is kept only when it passes. */
export const Probe = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("exec"),
    command: field(z.array(NoNul).min(1).readonly(), {
      description: "Command run in the container; exit code 0 is healthy.",
    }),
    ...timing,
  }),
  z.strictObject({
    kind: z.literal("http"),
    port: field(Port, {
      description: "Port to ask, at the pod's own address, or at loopback in the host's network.",
      unit: "port",
    }),
    path: field(UrlPath, {
      description: "Path to request; a status from 200 to 399 is healthy.",
      default: "/",
    }).optional(),
    ...timing,
  }),
  z.strictObject({
    kind: z.literal("tcp"),
    port: field(Port, {
      description:
        "Port that must accept a connection, at the pod's own address, or at loopback in the host's network.",
      unit: "port",
    }),
    ...timing,
  }),
]);
/** See the schema of the same name. */
export type Probe = z.infer<typeof Probe>;

/** The timing of a probe with everything that was not set filled in; all in milliseconds. */
export function probeTiming(probe: Probe): {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
} {
  return {
    intervalMs: probe.intervalMs ?? 1000,
    timeoutMs: probe.timeoutMs ?? 2000,
    retries: probe.retries ?? 10,
    startPeriodMs: probe.startPeriodMs ?? 0,
  };
}
