import type { Logging as LoggingSpec } from "../model/index.ts";
import { compact } from "./compact.ts";
import type { OptionNames } from "./options.ts";
import type { Size } from "./size.ts";

/** Where a container's output goes, and how much of it is kept. */
export interface Logging {
  /**
   * Keeps output in files on the host, or drops it.
   *
   * @defaultValue file
   */
  readonly mode?: "file" | "none";
  /**
   * Size at which a log file is rotated.
   *
   * @defaultValue 16 MiB
   */
  readonly maxSize?: Size;
  /**
   * Log files kept, including the current one.
   *
   * @defaultValue 2
   */
  readonly maxFiles?: number;
}

export const LOGGING: OptionNames<Logging> = { mode: true, maxSize: true, maxFiles: true };

/** A declaration's logging in the model's terms. */
export function loggingSpec({ mode, maxSize, maxFiles }: Logging): LoggingSpec {
  return compact<LoggingSpec>({ mode, maxBytes: maxSize?.toBytes(), maxFiles });
}
