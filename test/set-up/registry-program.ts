import { findOnPath } from "../../src/internal/index.ts";
import { isRequiredEngine } from "./required-engines.ts";

const PROGRAM = "docker-registry";

/** The registry that tests start; where it is missing they are skipped, or fail where the run requires it. */
export const registryProgram = findOnPath(PROGRAM);

/** Why tests of a registry are skipped; undefined where they run. */
export function whyNoRegistry(): string | undefined {
  if (registryProgram !== undefined || isRequiredEngine(PROGRAM)) return undefined;
  return `${PROGRAM} is not on PATH`;
}
