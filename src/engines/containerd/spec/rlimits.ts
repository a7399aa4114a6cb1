import type { ContainerSpec } from "../../../model/index.ts";
import type { OciRlimit } from "./oci-spec.ts";

/**
 * Limits of the process as the runtime wants them; what is not declared is inherited from the engine.
 *
 * They are passed on as declared: a runtime that may not raise a hard limit refuses, which is said,
 * where a limit that was lowered in silence would be a plan that never ends.
 */
export function toRlimits(ulimits: ContainerSpec["ulimits"]): readonly OciRlimit[] {
  return Object.entries(ulimits ?? {})
    .map(([name, { soft, hard }]) => ({ type: rlimitType(name), soft, hard }))
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}

/** setrlimit(2)'s name of a limit. */
export function rlimitType(name: string): string {
  return `RLIMIT_${name.toUpperCase()}`;
}
