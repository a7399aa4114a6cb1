import type { FleetManifest } from "../../model/index.ts";

/** Pods that a fleet declares, on all hosts. */
export function countPods(manifest: FleetManifest): number {
  return Object.values(manifest.hosts).reduce(
    (sum, { pods }) => sum + Object.keys(pods ?? {}).length,
    0,
  );
}
