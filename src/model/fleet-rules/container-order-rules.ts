import { closestWord } from "../closest-word.ts";
import type { ContainerSpec } from "../container.ts";
import type { Condition } from "../dependency.ts";
import type { PodSpec } from "../pod.ts";
import { runsOnce } from "../start-order.ts";
import { type Findings, mistake, type PodPlace } from "./rule.ts";

/** Rules between containers of a pod that wait for each other. */
export function* containerOrderRules({ path, pod }: PodPlace): Findings {
  const names = Object.keys(pod.containers);
  if (names.length > 0 && names.every((name) => pod.containers[name]?.init === true)) {
    yield mistake(
      `${path}.containers`,
      "all of its containers are init containers: nothing would run after them",
      "remove init from the pod's main container",
    );
  }
  for (const name of names) yield* ownRules(`${path}.containers.${name}`, name, pod);
  const circle = findCircle(pod);
  if (circle !== undefined) {
    yield mistake(
      `${path}.containers.${circle[0]}.dependsOn`,
      `containers wait for each other in a circle: ${[...circle, circle[0]].join(" -> ")}`,
      "remove one of these dependencies",
    );
  }
}

function* ownRules(place: string, name: string, pod: PodSpec): Findings {
  const container = pod.containers[name] as ContainerSpec;
  const isOnce = runsOnce(pod, name);
  if (isOnce && container.health !== undefined) {
    yield mistake(
      `${place}.health`,
      "the others wait for it to complete, so its health is never checked",
      "remove health: exit code 0 counts instead",
    );
  }
  // other pods may wait for the end of one with on-failure
  const mayEnd = isOnce || pod.restart?.policy === "on-failure";
  if (!mayEnd && container.completeWithinMs !== undefined) {
    yield mistake(
      `${place}.completeWithinMs`,
      "no container waits for this one to complete",
      "set init: true, let another container depend on it with completed, or remove completeWithinMs",
    );
  }
  for (const [other, condition] of Object.entries(container.dependsOn ?? {})) {
    yield* dependencyRules(`${place}.dependsOn.${other}`, { name, other, condition }, pod);
  }
}

function* dependencyRules(
  place: string,
  { name, other, condition }: { name: string; other: string; condition: Condition },
  pod: PodSpec,
): Findings {
  const target = Object.hasOwn(pod.containers, other) ? pod.containers[other] : undefined;
  if (target === undefined) {
    const meant = closestWord(other, Object.keys(pod.containers));
    yield mistake(
      place,
      `there is no container "${other}" in this pod`,
      meant === undefined ? "name another container of this pod" : `did you mean "${meant}"?`,
    );
    return;
  }
  if (other === name) {
    yield mistake(place, "it would wait for itself", "remove this dependency");
    return;
  }
  if (pod.containers[name]?.init === true && target.init !== true) {
    yield mistake(
      place,
      `an init container cannot wait for "${other}", which is not one`,
      `set init: true on "${other}" as well, or remove it from "${name}"`,
    );
  } else if (condition === "healthy" && runsOnce(pod, other)) {
    yield mistake(
      place,
      `"${other}" runs to completion and never counts as healthy`,
      "wait for it to be completed",
    );
  } else if (condition === "healthy" && target.health === undefined) {
    yield mistake(
      place,
      `"${other}" has no probe to tell whether it is healthy`,
      `give "${other}" a health probe, or wait for it to be started`,
    );
  }
}

function findCircle({ containers }: PodSpec): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, chain: readonly string[]): readonly string[] | undefined => {
    const at = chain.indexOf(name);
    if (at >= 0) return chain.slice(at);
    if (done.has(name)) return undefined;
    done.add(name);
    for (const other of Object.keys(containers[name]?.dependsOn ?? {})) {
      // one that waits for itself is reported separately
      const found = other === name ? undefined : visit(other, [...chain, name]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (const name of Object.keys(containers)) {
    const found = visit(name, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
