import type { Diagnostic } from "../errors/index.ts";
import {
  type AppliedImage,
  type EngineConfig,
  engineIdentity,
  engineName,
  imageName,
  type ObservedImage,
} from "../model/index.ts";
import { seenEngines } from "./observed-pods.ts";
import type { HostChange, PodChange } from "./plan.ts";
import type { HostObservation, ImageResolution, PlanInput } from "./plan-input.ts";
import { keptElsewhere, type PodContext } from "./pod-context.ts";

/** Images that a host must hold for its pods, and those that the fleet does not need on it any more. */
export function imageChanges(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  contexts: readonly PodContext[],
  podChanges: readonly PodChange[],
): { readonly changes: readonly HostChange[]; readonly diagnostics: readonly Diagnostic[] } {
  const ownership = `${input.manifest.id}/${input.manifest.name}`;
  const changes: HostChange[] = [];
  const diagnostics: Diagnostic[] = [];
  const needed = neededImages(contexts);
  const resolutions = resolutionsByName(input, host);
  for (const [name, { image, users }] of needed) {
    const held = observation.engine.images.find(
      (each) => each.name === name && each.digest === image.digest,
    );
    const resolution = resolutions.get(name);
    if (held !== undefined) {
      const isClaimed = held.fleets === undefined || held.fleets.includes(ownership);
      if (!isClaimed) changes.push(claimChange(host, name, image));
    } else if (canImport(resolution)) {
      changes.push(importChange(host, observation.config, name, image, resolution));
    } else if (users.some((user) => isMade(user, podChanges))) {
      diagnostics.push(unavailable(host, image, users, observation.engine.images));
    }
  }
  return {
    changes: [
      ...changes,
      ...releases(input, host, observation, needed, podChanges),
      ...releasesElsewhere(input, host, observation, contexts, podChanges),
    ],
    diagnostics,
  };
}

function releases(
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
function releasesElsewhere(
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

/** Ids of the image changes that a pod has to wait for. */
export function imagesBefore(
  context: PodContext | undefined,
  changes: readonly HostChange[],
): readonly string[] {
  if (context?.desired === undefined) return [];
  const ids = new Set(
    Object.values(context.desired.images).map((image) => imageId(context.host, nameOf(image))),
  );
  return changes
    .filter(({ action, id }) => action !== "release" && ids.has(id))
    .map(({ id }) => id);
}

function nameOf(image: AppliedImage): string {
  return imageName(image.reference, image.digest);
}

function neededImages(contexts: readonly PodContext[]) {
  const needed = new Map<string, { readonly image: AppliedImage; readonly users: PodContext[] }>();
  for (const context of contexts) {
    for (const image of Object.values(context.desired?.images ?? {})) {
      const entry = needed.get(nameOf(image));
      if (entry === undefined) needed.set(nameOf(image), { image, users: [context] });
      else entry.users.push(context);
    }
  }
  return needed;
}

function resolutionsByName(input: PlanInput, host: string): ReadonlyMap<string, ImageResolution> {
  const resolutions = [...(input.images.get(host)?.values() ?? [])];
  return new Map(
    resolutions.flatMap((each) => (each.kind === "resolved" ? [[nameOf(each.image), each]] : [])),
  );
}

function canImport(
  resolution: ImageResolution | undefined,
): resolution is ImageResolution & { kind: "resolved" } {
  if (resolution?.kind !== "resolved") return false;
  return resolution.available || resolution.from !== undefined;
}

function isMade(context: PodContext, changes: readonly PodChange[]): boolean {
  return changes.some(
    ({ host, pod, fresh }) => host === context.host && pod === context.pod && fresh !== undefined,
  );
}

function unavailable(
  host: string,
  image: AppliedImage,
  users: readonly PodContext[],
  images: readonly ObservedImage[],
): Diagnostic {
  const path = `hosts.${host}.pods.${(users[0] as PodContext).pod}`;
  const { reference, digest } = image;
  const elsewhere = images.find((each) => each.digest === digest);
  const bytes = `give it a layout or an archive in images["${reference}"]`;
  if (elsewhere === undefined) {
    const summary = `image ${reference} is neither on the host nor on disk`;
    return { severity: "error", path, summary, detail: bytes };
  }
  return {
    severity: "error",
    path,
    summary: `the host holds image ${reference} under the name ${elsewhere.name} alone, which others may point elsewhere at any time`,
    detail: `name it ${nameOf(image)} in the engine as well, or ${bytes}`,
  };
}

function imageId(host: string, name: string): string {
  return `${host}/image:${name}`;
}

function importChange(
  host: string,
  config: EngineConfig,
  name: string,
  image: AppliedImage,
  resolution: ImageResolution & { kind: "resolved" },
): HostChange {
  const { sizeBytes, from } = resolution;
  return {
    id: imageId(host, name),
    host,
    action: "import",
    text:
      from === undefined
        ? `import image ${image.reference}`
        : `hand image ${image.reference} over from ${engineName(from.engine, config)}`,
    steps: [
      {
        kind: "import-image",
        image,
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
        ...(from === undefined ? {} : { from }),
      },
    ],
    after: [],
  };
}

function claimChange(host: string, name: string, image: AppliedImage): HostChange {
  return {
    id: imageId(host, name),
    host,
    action: "claim",
    text: `use image ${image.reference}, which is on the host`,
    steps: [{ kind: "claim-image", image }],
    after: [],
  };
}

function releaseChange(host: string, image: ObservedImage, after: readonly string[]): HostChange {
  return {
    id: imageId(host, image.name),
    host,
    action: "release",
    text: `image ${image.name} is not needed any more`,
    steps: [{ kind: "release-image", name: image.name }],
    after,
  };
}
