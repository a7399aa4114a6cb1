import { isSameJson } from "../canonical.ts";
import { exclusiveHoldings } from "../exclusive.ts";
import type { FleetManifest } from "../fleet.ts";
import type { Rollout } from "../rollout.ts";
import { allPods, type Findings, mistake, type PodPlace, warning } from "./rule.ts";

/** Rules of how the pods of a service follow each other. */
export function* rolloutRules(manifest: FleetManifest): Findings {
  const first = new Map<string, PodPlace>();
  for (const place of allPods(manifest)) {
    const { service, rollout } = place.pod;
    if (rollout !== undefined && service === undefined) {
      yield warning(
        `${place.path}.rollout`,
        "a rollout without a service has no effect",
        "name the service, or remove it",
      );
      continue;
    }
    if (service === undefined) continue;
    const other = first.get(service) ?? place;
    first.set(service, other);
    if (!isSameJson(other.pod.rollout, rollout)) {
      yield mistake(
        `${place.path}.rollout`,
        `pods of service ${service} declare different rollouts: that of ${other.host}/${other.name} differs`,
        "give all pods of a service the same rollout",
      );
    }
    if (rollout !== undefined) yield* surgeRules(place, rollout);
  }
}

/** Two generations at once: what the pod holds alone speaks against it. */
function* surgeRules({ path, pod }: PodPlace, { maxSurge, maxUnavailable }: Rollout): Findings {
  if (maxSurge === undefined) return;
  const place = `${path}.rollout.maxSurge`;
  const remedy = `remove maxSurge${maxUnavailable === undefined ? ", and set maxUnavailable" : ""}`;
  if (pod.replacement === "stop-first") {
    yield mistake(place, "the pod is replaced stop-first", `${remedy}, or remove replacement`);
  }
  // in a network of the fleet ports are handed over
  const { ports: _, ...rest } = pod;
  const held = exclusiveHoldings(pod.network?.mode === "bridge" ? rest : pod).filter(
    (holding) => pod.replacement !== "start-first" || !holding.startsWith("writable volume"),
  );
  const [holding] = held;
  if (holding === undefined) return;
  const asked = holding.startsWith("writable volume")
    ? ", or set replacement: start-first, which lets two processes have it open"
    : "";
  yield mistake(
    place,
    `two generations cannot run at once: only one process may have ${holding}`,
    `${remedy}${asked}`,
  );
}
