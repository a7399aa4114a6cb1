import {
  LABEL_FLEET,
  LABEL_GENERATION,
  LABEL_HOST,
  LABEL_OWNER,
  LABEL_POD,
  type PodIdentity,
} from "../../../model/index.ts";

/** On a container: digest of its runtime spec as Stowage wrote it. */
export const LABEL_SPEC = "io.stowage.spec";

/** Filter that finds the containers of one generation. */
export function generationFilter({ owner, fleet, host, pod, generation }: PodIdentity): string {
  return [
    [LABEL_OWNER, owner],
    [LABEL_FLEET, fleet],
    [LABEL_HOST, host],
    [LABEL_POD, pod],
    [LABEL_GENERATION, String(generation)],
  ]
    .map(([key, value]) => `labels."${key}"==${JSON.stringify(value)}`)
    .join(",");
}
