import * as z from "zod";
import { field } from "./field.ts";

/** Where a container's output goes, and how much of it is kept. */
export const Logging = z.strictObject({
  mode: field(z.enum(["file", "none"]), {
    description: "Keeps output in files on the host, or drops it.",
    change: "restart",
    default: "file",
  }).optional(),
  maxBytes: field(z.int().min(4096), {
    description: "Size at which a log file is rotated.",
    change: "restart",
    unit: "bytes",
    default: 16 * 1024 * 1024,
  }).optional(),
  maxFiles: field(z.int().min(1).max(100), {
    description: "Log files kept, including the current one.",
    change: "restart",
    default: 2,
  }).optional(),
});
/** See the schema of the same name. */
export type Logging = z.infer<typeof Logging>;

/** Logging with everything that was not set filled in. */
export function effectiveLogging(logging: Logging | undefined): Required<Logging> {
  return {
    mode: logging?.mode ?? "file",
    maxBytes: logging?.maxBytes ?? 16 * 1024 * 1024,
    maxFiles: logging?.maxFiles ?? 2,
  };
}
