import * as z from "zod";
import { field } from "./field.ts";

/** The kernel knows so many CPUs at most, and takes no time of many more. */
const CPU_MILLIS_MAX = 8192 * 1000;
/** So many processes can a kernel have; it refuses more as a limit. */
const PIDS_MAX = 2 ** 22;

function areRising(list: string): boolean {
  return list.split(",").every((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return first === undefined || last === undefined || first <= last;
  });
}

/** Limits of one container; an absent field is no limit. */
export const Resources = z.strictObject({
  cpuMillis: field(z.int().min(10).max(CPU_MILLIS_MAX), {
    description: "CPU limit, in thousandths of one CPU: 1500 is one and a half CPUs.",
    change: "live",
    unit: "millicores",
  }).optional(),
  cpuShares: field(z.int().min(2).max(262_144), {
    description:
      "Weight relative to other containers when CPU time is scarce; the kernel's default is 1024.",
    change: "live",
  }).optional(),
  cpuset: field(
    z
      .string()
      .regex(/^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/, 'must be a list such as "0-2,4"')
      .refine(areRising, "a range must begin with its lower number"),
    {
      description: "CPUs that it may run on, as a list such as 0-2,4.",
      change: "live",
    },
  ).optional(),
  memoryBytes: field(z.int().min(6 * 1024 * 1024), {
    description: "Memory limit; beyond it the kernel kills a process of the container.",
    change: "live",
    unit: "bytes",
  }).optional(),
  memoryReservationBytes: field(z.int().positive(), {
    description: "Memory that the kernel tries to keep for it when the host runs short.",
    change: "live",
    unit: "bytes",
  }).optional(),
  memorySwapBytes: field(z.int().positive(), {
    description: "Limit of memory and swap together; needs memoryBytes.",
    change: "live",
    unit: "bytes",
  }).optional(),
  pidsMax: field(z.int().positive().max(PIDS_MAX), {
    description: "Highest number of processes and threads.",
    change: "live",
  }).optional(),
});
/** See the schema of the same name. */
export type Resources = z.infer<typeof Resources>;
