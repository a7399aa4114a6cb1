import { closestWord } from "../closest-word.ts";
import { podDependency } from "../dependency.ts";
import type { FleetManifest } from "../fleet.ts";
import { allPods, type Findings, mistake, type PodPlace } from "./rule.ts";

/** Rules between pods that wait for each other. */
export function* dependencyRules(manifest: FleetManifest): Findings {
  const pods = new Map(allPods(manifest).map((place) => [idOf(place), place]));
  for (const place of pods.values()) {
    for (const reference of place.pod.dependsOn ?? []) {
      yield* referenceRules(place, reference, pods);
    }
  }
  for (const chain of cycles(pods)) {
    const first = pods.get(chain[0] ?? "");
    yield mistake(
      `${first?.path}.dependsOn`,
      `pods wait for each other in a circle: ${[...chain, chain[0]].join(" -> ")}`,
      "remove one of these dependencies",
    );
  }
}

/** Each circle once, beginning with the pod that the manifest names first. */
function cycles(pods: ReadonlyMap<string, PodPlace>): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  const done = new Set<string>();
  for (const start of pods.keys()) {
    // a stack of its own: a chain may be as long as the fleet has pods
    const trail: { readonly id: string; readonly next: string[] }[] = [];
    const entered = new Set<string>();
    const enter = (id: string): void => {
      const place = pods.get(id);
      if (place === undefined || done.has(id)) return;
      if (entered.has(id)) {
        found.push(trail.slice(trail.findIndex((step) => step.id === id)).map((step) => step.id));
        return;
      }
      entered.add(id);
      trail.push({
        id,
        next: (place.pod.dependsOn ?? []).map((each) => podDependency(each, place.host).id),
      });
    };
    enter(start);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const next = top.next.shift();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      trail.pop();
      done.add(top.id);
    }
  }
  return found;
}

function idOf(place: PodPlace): string {
  return `${place.host}/${place.name}`;
}

function* referenceRules(
  place: PodPlace,
  reference: string,
  pods: ReadonlyMap<string, PodPlace>,
): Findings {
  const { id, name, condition } = podDependency(reference, place.host);
  const found = pods.get(id);
  if (found !== undefined) {
    if (condition === "completed") yield* completionRules(place, found);
    return;
  }
  const names = [...pods.values()].flatMap((other) =>
    other.host === place.host ? [other.name, idOf(other)] : [idOf(other)],
  );
  const meant = closestWord(name, names);
  yield mistake(
    `${place.path}.dependsOn`,
    `there is no pod "${name}"${name.includes("/") ? "" : ` on host ${place.host}`}`,
    meant === undefined
      ? "name a pod of this host, or another as host/pod"
      : `did you mean "${meant}"?`,
  );
}

/** A pod that ends, and is let end: else it would be started again, and is never completed. */
function* completionRules(place: PodPlace, { name, pod }: PodPlace): Findings {
  if (pod.restart?.policy === "on-failure") return;
  yield mistake(
    `${place.path}.dependsOn`,
    `pod "${name}" must complete, and its restart policy is ${pod.restart?.policy ?? "no"}`,
    `give "${name}" the restart policy on-failure, which leaves a container that exits with code 0 ended`,
  );
}
