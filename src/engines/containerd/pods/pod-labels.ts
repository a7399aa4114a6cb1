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

/** On a container: how often its restart policy had it started; absent: never. */
const LABEL_RESTARTS = "io.stowage.restarts";

/** How often a container's restart policy had it started. */
export function restartsIn(labels: Readonly<Record<string, string>>): number {
  const count = Number(labels[LABEL_RESTARTS] ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** The label that says so; an empty one is taken off. */
export function restartsLabel(count: number): readonly [string, string] {
  return [LABEL_RESTARTS, count === 0 ? "" : String(count)];
}

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
