import type { Diagnostic } from "../errors/index.ts";
import type { FleetManifest } from "./fleet.ts";
import { containerOrderRules } from "./fleet-rules/container-order-rules.ts";
import { containerRules } from "./fleet-rules/container-rules.ts";
import { dependencyRules } from "./fleet-rules/dependency-rules.ts";
import { fileRules } from "./fleet-rules/file-rules.ts";
import { hostRules } from "./fleet-rules/host-rules.ts";
import { imageRules } from "./fleet-rules/image-rules.ts";
import { networkRules } from "./fleet-rules/network-rules.ts";
import { podRules } from "./fleet-rules/pod-rules.ts";
import { registryRules } from "./fleet-rules/registry-rules.ts";
import { rolloutRules } from "./fleet-rules/rollout-rules.ts";
import { allPods, mistake } from "./fleet-rules/rule.ts";
import { STATE_DIRECTORIES, STATE_FILES } from "./host-layout.ts";

export { parseFleet, readFleet } from "./parse-fleet.ts";
export { pathText } from "./schema-path.ts";

/**
 * Everything that is wrong between the fields of a manifest: what no schema of a single field can
 * say. Empty when the manifest can be planned; what only a host or an engine can know is the plan's.
 */
export function validateFleet(manifest: FleetManifest): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  if (manifest.formerly === manifest.name) {
    found.push(mistake("formerly", "it is the fleet's current name", "remove it"));
  }
  if ([...STATE_DIRECTORIES, ...STATE_FILES].includes(manifest.id)) {
    found.push(
      mistake(
        "id",
        `${manifest.id} is reserved: stateDir has something else of that name`,
        "choose another",
      ),
    );
  }
  found.push(...imageRules(manifest), ...registryRules(manifest));
  found.push(...networkRules(manifest), ...hostRules(manifest));
  for (const place of allPods(manifest)) {
    found.push(...podRules(place), ...containerRules(place), ...fileRules(place));
    found.push(...containerOrderRules(place));
  }
  found.push(...dependencyRules(manifest), ...rolloutRules(manifest));
  return found;
}
