import type { Diagnostic } from "../errors/index.ts";
import { bridgeName, rangeOf, subnetsOverlap } from "../model/index.ts";
import type { PodContext } from "./pod-context.ts";

/** Declared subnets that overlap with addresses that somebody else has on a host, each once. */
export function subnetClashes(
  contexts: readonly PodContext[],
  runDir: string,
): readonly Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  for (const context of contexts) {
    const { host, desired, observation, declared } = context;
    const { name = "", subnet } = desired?.spec.network ?? {};
    if (subnet === undefined || found.has(name)) continue;
    const own = `${declared.owner}/${declared.fleet}/${name}`;
    // known by its name also where all that was noted of it is gone
    const bridge = bridgeName(runDir, declared, { name, subnet });
    const taken = observation.engine.network?.subnets.find(
      (each) =>
        subnetsOverlap(each.subnet, subnet) &&
        !((each.network === own || each.device === bridge) && isSame(each.subnet, subnet)),
    );
    if (taken === undefined) continue;
    found.set(name, {
      severity: "error",
      path: `networks.${name}.subnet`,
      summary: `${subnet} overlaps with ${taken.subnet} (${taken.holder}) on host ${host}`,
      detail: "choose another subnet, or leave it out to have a free one chosen",
    });
  }
  return [...found.values()];
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.first === b.first && a.last === b.last;
}
