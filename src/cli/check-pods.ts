import { StowageError } from "../errors/index.ts";
import type { FleetManifest } from "../model/index.ts";
import type { Plan, PlanOptions } from "../plan/index.ts";
import { didYouMean } from "./text/suggest.ts";

/**
 * Refuses a `--pod` that is neither declared nor in the plan: nothing would be planned, and the plan
 * would look empty.
 */
export function checkPods(manifest: FleetManifest, plan: Plan, options: PlanOptions): void {
  const declared = Object.values(manifest.hosts).flatMap(({ pods }) => Object.keys(pods ?? {}));
  const known = [...new Set([...declared, ...plan.pods.map(({ pod }) => pod)])];
  for (const name of options.pods ?? []) {
    if (known.includes(name)) continue;
    throw new StowageError(
      `Cannot plan pod "${name}": fleet "${manifest.name}" neither declares nor runs it; ${didYouMean(name, known, `it has ${known.join(", ") || "no pods"}`)}`,
      { code: "not_found" },
    );
  }
}
