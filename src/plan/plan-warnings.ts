import { engineName } from "../model/index.ts";
import { leavesPaused, pausesOf, pauseWords } from "./pauses.ts";
import type { RolloutPause } from "./plan.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";
import { lostWith, type PodContext, podsOf } from "./pod-context.ts";
import { isGone } from "./refusals.ts";

/** A host that was read, and its pods. */
interface Looked {
  readonly host: string;
  readonly observation: HostObservation;
  readonly contexts: readonly PodContext[];
}

/** Pods that are left alone as nobody can tell what they do. */
export function unknownStates({ contexts }: Looked): readonly string[] {
  return contexts.flatMap((context) =>
    podsOf(context).some(({ state }) => state === "unknown")
      ? [
          `${context.host}/${context.pod}: the engine does not know its state now; it is left as it is`,
        ]
      : [],
  );
}

/** What an apply that continues has not done yet looks as if one had been interrupted. */
export function busyHost({ host, observation }: Looked): readonly string[] {
  if (observation.busy === undefined) return [];
  return [
    `${host}: its lock is held by ${observation.busy}: what this plan shows of it may be in progress already`,
  ];
}

/** Said once: after the apply nobody looks for them any more. */
export function lostEngines(
  input: PlanInput,
  { host, observation, contexts }: Looked,
): readonly string[] {
  return observation.others.flatMap((other) => {
    if (other.kind === "observed" || !isGone(input, other)) return [];
    const lost = contexts.filter((context) => lostWith(context) === other.config);
    if (lost.length === 0) return [];
    const pods = lost.map(({ pod }) => pod).join(", ");
    const name = engineName(other.config, observation.config);
    return [
      `${host}: ${name} no longer exists, and these pods are lost with it: ${pods} (${other.reason}); stop by hand what may still run of them`,
    ];
  });
}

/** The rollouts that are paused, and what is to be said of those that do not hold anything. */
export function pausesIn(
  input: PlanInput,
  contexts: ReadonlyMap<string, PodContext>,
): {
  readonly held: ReadonlyMap<string, RolloutPause>;
  readonly warnings: readonly string[];
} {
  const held = pausesOf(input.manifest, input.hosts);
  if (input.options.despitePauses !== true)
    return { held, warnings: input.options.destroy === true ? [] : leavesPaused(input, contexts) };
  const planned = new Set([...contexts.values()].map(({ desired }) => desired?.spec.service));
  const warnings = [...held]
    .filter(([service]) => planned.has(service))
    .map(
      ([service, pause]) =>
        `the rollout of ${service} stays ${pauseWords(pause)}; this continues all the same, and the declared changes wait for stowage rollout resume ${service}`,
    );
  return { held: new Map(), warnings };
}

/** Secrets of pods without a change that could not be compared: silence would say that they are unchanged. */
export function uncomparedSecrets(
  contexts: ReadonlyMap<string, PodContext>,
  changed: ReadonlySet<string>,
): readonly string[] {
  return [...contexts].flatMap(([id, { secrets }]) => {
    if (changed.has(id)) return [];
    const paths = new Map<string, string[]>();
    for (const [path, { state, why = "" }] of secrets ?? [])
      if (state === "not-compared") paths.set(why, [...(paths.get(why) ?? []), path]);
    return [...paths].map(([why, each]) => `${id}: ${each.join(", ")} not compared: ${why}`);
  });
}
