import type { PodSpec, RecordedGeneration } from "../model/index.ts";
import type { Reason } from "./plan.ts";
import type { PodContext } from "./pod-context.ts";

const LOST =
  "its directory was deleted from the host, and what was in it is lost; it is created again, empty";

/**
 * Named volumes of what was applied that are not on the host any more. Made again without a word they would
 * look as if nothing had ever been in them; processes that run still have the deleted directory.
 */
export function volumeReasons(
  { observation }: PodContext,
  desired: PodSpec,
  applied: RecordedGeneration | undefined,
): readonly Reason[] {
  return Object.entries(applied?.spec.volumes ?? {}).flatMap(([key, volume]): Reason[] => {
    const still = desired.volumes?.[key];
    const isLost =
      volume.kind === "named" &&
      still?.kind === "named" &&
      still.name === volume.name &&
      !observation.volumes.has(volume.name);
    return isLost
      ? [{ kind: "drift", path: `volumes.${key}`, verdict: "replace", text: LOST }]
      : [];
  });
}
