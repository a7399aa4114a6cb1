import { findOnPath } from "../../src/internal/index.ts";
import { fail } from "./output.ts";

/** Where a program of the host is, or ends with what is missing. */
export function programOf(name: string): string {
  return findOnPath(name) ?? fail(`rkt-double: ${name} is not on PATH`);
}
