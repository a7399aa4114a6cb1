import type { EnvironmentInput } from "./environment-arguments.ts";

/** A container that is to be made, with all that was looked up for it. */
export interface PlannedContainer {
  /** Its name in the pod. */
  readonly name: string;
  /** Its name in podman. */
  readonly id: string;
  /** The words of the command line after `create`. */
  readonly args: readonly string[];
  readonly environment: () => EnvironmentInput;
}
