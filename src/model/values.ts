import * as z from "zod";

/** The longest that anything may be told to wait, a week: timers end at 25 days, and run at once beyond that. */
const WAIT_MS_MAX = 7 * 24 * 3600 * 1000;

/** A time that is waited for: of at least `min` milliseconds. */
export function waitMs(min: number) {
  return z.int().min(min).max(WAIT_MS_MAX);
}

/** A user or a group by its number; the kernel takes the one after the last for "leave it as it is". */
export const OwnerNumber = z.int().min(0).max(0xffff_fffe);

/** A text that the kernel takes: it ends texts with a NUL. */
export const NoNul = z
  .string()
  .refine((text) => !text.includes("\0"), "must not contain a NUL character");
