import { engineIdentity, engineName, type ObservedImage } from "../model/index.ts";
import { seenEngines } from "./observed-pods.ts";
import type { HostChange, PodChange } from "./plan.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";
import { keptElsewhere, type PodContext } from "./pod-context.ts";

/** Images of the fleet that none of its pods needs. */
export function releases(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  needed: ReadonlyMap<string, unknown>,
  podChanges: readonly PodChange[],
): readonly HostChange[] {
  if (input.options.pods !== undefined) return [];
  const ownership = `${input.manifest.id}/${input.manifest.name}`;
  const after = podChanges.map(({ id }) => id);
  return observation.engine.images
    .filter((image) => !needed.has(image.name) && image.fleets?.includes(ownership) === true)
    .map((image) => releaseChange(host, image, after));
}

/** Images of the fleet in engines where none of its pods is to stay. */
export function releasesElsewhere(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  contexts: readonly PodContext[],
  podChanges: readonly PodChange[],
): readonly HostChange[] {
  if (input.options.pods !== undefined) return [];
  const ownership = `${input.manifest.id}/${input.manifest.name}`;
  const kept = contexts.flatMap(keptElsewhere).map(({ engine }) => engine);
  const after = podChanges.map(({ id }) => id);
  return seenEngines(observation)
    .filter(({ config }) => !kept.includes(config))
    .flatMap(({ config, engine }) =>
      engine.images
        .filter(({ fleets }) => fleets?.includes(ownership) === true)
        .map(({ name }): HostChange => {
          const where = engineName(config, observation.config);
          return {
            id: `${host}/${engineIdentity(config)}/image:${name}`,
            host,
            action: "release",
            text: `image ${name} is not needed in ${where} any more`,
            steps: [{ kind: "release-image", name, engine: config }],
            after,
          };
        }),
    );
}

function releaseChange(host: string, image: ObservedImage, after: readonly string[]): HostChange {
  return {
    id: `${host}/image:${image.name}`,
    host,
    action: "release",
    text: `image ${image.name} is not needed any more`,
    steps: [{ kind: "release-image", name: image.name }],
    after,
  };
}
