import {
  type EngineConfig,
  engineIdentity,
  engineName,
  imageName,
  isSameEngine,
  type ObservedImage,
  type ObservedPod,
  type PodSpec,
  parseImageReference,
} from "../model/index.ts";
import { seenEngines } from "./observed-pods.ts";
import type { HostChange } from "./plan.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";
import { type HostHistories, recordsOf } from "./prune-history.ts";

/** A generation that was kept and is to go. */
export interface PrunedGeneration {
  readonly pod: ObservedPod;
  readonly engine: EngineConfig;
  /** Id of the change that takes it away. */
  readonly change: string;
}

/**
 * Images of the fleet that no generation needs which stays: neither one of a pod that is there, nor one
 * of a record, nor what is declared now. Images of Stowage's that no fleet names any more as well.
 */
export function pruneImages(
  { manifest }: PlanInput,
  host: string,
  observation: HostObservation,
  pruned: readonly PrunedGeneration[],
  histories: HostHistories,
): readonly HostChange[] {
  const ownership = `${manifest.id}/${manifest.name}`;
  const stores = [
    { engine: undefined, seen: observation.engine },
    ...seenEngines(observation).map(({ config, engine }) => ({ engine: config, seen: engine })),
  ];
  const declared = declaredReferences(manifest.hosts[host]?.pods ?? {});
  return stores.flatMap(({ engine, seen }) => {
    const config = engine ?? observation.config;
    const recorded = recordedImages(observation, config);
    // what is declared now is wanted in the declared engine alone
    const isStaying = ({ name, digest }: ObservedImage): boolean =>
      recorded.has(name) ||
      (engine === undefined && declared.some((each) => imageName(each, digest) === name));
    return seen.images
      .filter((image) => isOf(image, ownership) && !isStaying(image))
      .flatMap((image): readonly HostChange[] => {
        const users = seen.pods.filter((pod) => uses(pod, image));
        const going = users.flatMap(
          (user) =>
            pruned.find((each) => each.pod === user && isSameEngine(each.engine, config)) ?? [],
        );
        // one that is used by nobody that is known is used by somebody else
        if (going.length < users.length || (image.inUse && users.length === 0)) return [];
        const records = recordsOf(histories, image.name);
        return [releaseOf(host, observation, image, engine, { going, records })];
      });
  });
}

/** Whether a fleet uses an image, or no fleet any more uses one that Stowage brought. */
function isOf({ fleets }: ObservedImage, ownership: string): boolean {
  return fleets !== undefined && (fleets.includes(ownership) || fleets.length === 0);
}

function releaseOf(
  host: string,
  { config }: HostObservation,
  { name, sizeBytes, fleets = [] }: ObservedImage,
  engine: EngineConfig | undefined,
  lost: {
    readonly going: readonly PrunedGeneration[];
    /** Old records that name it. */
    readonly records: readonly string[];
  },
): HostChange {
  const { going, records } = lost;
  const where = engine === undefined ? "" : ` in ${engineName(engine, config)}`;
  const generations = going.map(({ pod }) => `generation ${pod.generation} of pod ${pod.pod}`);
  const why =
    generations.length > 0
      ? `is there for ${generations.join(" and ")} only, which cannot be restored without it`
      : fleets.length > 1
        ? "is used by no pod of the fleet; other fleets keep it"
        : "is used by no pod";
  const back =
    records.length === 0 ? "" : `; a rollback to ${records.join(", ")} then needs it again`;
  const at = engine === undefined ? {} : { engine };
  const size = sizeBytes === undefined || fleets.length > 1 ? {} : { sizeBytes };
  return {
    id:
      engine === undefined
        ? `${host}/image:${name}`
        : `${host}/${engineIdentity(engine)}/image:${name}`,
    host,
    action: "release",
    text: `image ${name}${where} ${why}${back}`,
    steps: [{ kind: "release-image", name, ...at, ...size }],
    after: [...new Set(going.map(({ change }) => change))],
  };
}

function uses(pod: ObservedPod, { name, digest }: ObservedImage): boolean {
  return Object.values(pod.containers).some(
    ({ image }) =>
      image.digest === digest ||
      image.reference === name ||
      imageName(image.reference, image.digest ?? "") === name,
  );
}

function declaredReferences(pods: Readonly<Record<string, PodSpec>>): readonly string[] {
  const references = Object.values(pods).flatMap(({ containers }) =>
    Object.values(containers).map(({ image }) => parseImageReference(image).canonical),
  );
  return [...new Set(references)];
}

/** What records say is in an engine: of the fleet under any owner. */
function recordedImages({ records }: HostObservation, config: EngineConfig): ReadonlySet<string> {
  const generations = [...records.values()].flatMap((reading) =>
    reading.kind === "record" ? reading.record.generations : [],
  );
  const names = generations
    // an old record does not say where
    .filter(({ engine }) => engine === undefined || isSameEngine(engine, config))
    .flatMap(({ images }) =>
      Object.values(images).map(({ reference, digest }) => imageName(reference, digest)),
    );
  return new Set(names);
}
