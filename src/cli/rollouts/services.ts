import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import type { Plan, RolloutPause, ServicePod } from "../../plan/index.ts";
import { didYouMean } from "../text/suggest.ts";

/** What `rollout status` and `rollout undo` see of services. */
export interface SeenServices {
  readonly plan: Plan;
  readonly pods: readonly ServicePod[];
  /** By service. */
  readonly pauses: ReadonlyMap<string, RolloutPause>;
}

/** The services that a fleet declares. */
export function servicesOf({ hosts }: FleetManifest): readonly string[] {
  const specs = Object.values(hosts).flatMap(({ pods }) => Object.values(pods ?? {}));
  return [...new Set(specs.flatMap(({ service }) => service ?? []))].sort();
}

/** @throws StowageError `not_found` for a service that the fleet does not declare */
export function findService(manifest: FleetManifest, name: string): string {
  const known = servicesOf(manifest);
  if (known.includes(name)) return name;
  throw new StowageError(
    `Cannot find service "${name}" in fleet "${manifest.name}": it declares ${known.join(", ") || "none"}; ${didYouMean(name, known, known.length === 0 ? "declare a Service first" : "name one of these")}`,
    { code: "not_found" },
  );
}
