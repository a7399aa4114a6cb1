import type { Diagnostic } from "../errors/index.ts";
import {
  type AppliedImage,
  type EngineConfig,
  engineName,
  type HostSpec,
  imageName,
  type ObservedImage,
} from "../model/index.ts";
import { releases, releasesElsewhere } from "./image-releases.ts";
import { type ImageWay, imageWay } from "./image-way.ts";
import { type HostChange, OTHER_NAME, type PodChange } from "./plan.ts";
import type { HostObservation, ImageResolution, PlanInput } from "./plan-input.ts";
import type { PodContext } from "./pod-context.ts";

/** What has to be done about a host's images, what is in the way of it, and what is worth a word. */
export interface ImagePart {
  readonly changes: readonly HostChange[];
  readonly diagnostics: readonly Diagnostic[];
  readonly warnings: readonly string[];
}

/** Images that a host must hold for its pods, and those that the fleet does not need on it any more. */
export function imageChanges(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  contexts: readonly PodContext[],
  podChanges: readonly PodChange[],
): ImagePart {
  const ownership = `${input.manifest.id}/${input.manifest.name}`;
  const changes: HostChange[] = [];
  const diagnostics: Diagnostic[] = [];
  const warnings: string[] = [];
  const needed = neededImages(contexts);
  const resolutions = resolutionsByName(input, host);
  for (const [name, { image, users }] of needed) {
    const held = observation.engine.images.find(
      (each) => each.name === name && each.digest === image.digest,
    );
    if (held !== undefined) {
      const isClaimed = held.fleets === undefined || held.fleets.includes(ownership);
      if (!isClaimed) changes.push(claimChange(host, name, image));
      continue;
    }
    const found = bringing(input, host, observation, { name, image, users }, resolutions.get(name));
    changes.push(...(found.change ?? []));
    warnings.push(...(found.warning ?? []));
    const isWanted = users.some((user) => isMade(user, podChanges));
    if (isWanted) diagnostics.push(...(found.refusal ?? []));
  }
  return {
    warnings,
    changes: [
      ...changes,
      ...releases(input, host, observation, needed, podChanges),
      ...releasesElsewhere(input, host, observation, contexts, podChanges),
    ],
    diagnostics,
  };
}

/** How an image is brought that a host lacks, or why it cannot be. */
function bringing(
  input: PlanInput,
  host: string,
  observation: HostObservation,
  needed: {
    readonly name: string;
    readonly image: AppliedImage;
    readonly users: readonly PodContext[];
  },
  resolution: ImageResolution | undefined,
): {
  readonly change?: readonly HostChange[];
  readonly warning?: readonly string[];
  readonly refusal?: readonly Diagnostic[];
} {
  const { name, image, users } = needed;
  if (!canImport(resolution))
    return { refusal: [unavailable(host, image, users, observation.engine.images)] };
  const way = resolution.from === undefined ? wayTo(input, host, observation, resolution) : {};
  if ("refused" in way) return { refusal: [refusedWay(host, image, users, way)] };
  const change = importChange(host, observation.config, name, image, { ...resolution, way });
  if (way.because === undefined) return { change: [change] };
  const size = resolution.sizeBytes === undefined ? "" : ` (${resolution.sizeBytes} bytes)`;
  const warning = `${host}: ${image.reference}${size} is sent from this machine, as ${way.because}`;
  return { change: [change], warning: [warning] };
}

/** Digests of the images to import. */
export function importsOf(changes: readonly HostChange[]): ReadonlySet<string> {
  const steps = changes.flatMap((change) => change.steps);
  return new Set(steps.flatMap((step) => (step.kind === "import-image" ? step.image.digest : [])));
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

function wayTo(
  { manifest, options }: PlanInput,
  host: string,
  observation: HostObservation,
  resolution: ImageResolution & { kind: "resolved" },
): ImageWay {
  const spec: Pick<HostSpec, "address" | "pull"> = manifest.hosts[host] ?? { address: "local" };
  const { address } = spec;
  // on this machine what is sent and what is pulled come the same way
  if (options.sendImages === true) return address === "local" ? {} : { by: "controller" };
  return imageWay(spec, observation, resolution);
}

function refusedWay(
  host: string,
  { reference }: AppliedImage,
  users: readonly PodContext[],
  { refused, instead }: Extract<ImageWay, { readonly refused: string }>,
): Diagnostic {
  const path = `hosts.${host}.pods.${(users[0] as PodContext).pod}`;
  return { severity: "error", path, summary: `image ${reference}: ${refused}`, detail: instead };
}

function isMade(context: PodContext, changes: readonly PodChange[]): boolean {
  return changes.some(
    ({ host, pod, fresh, reasons }) =>
      host === context.host &&
      pod === context.pod &&
      // what runs well is not ended where it might not start again
      (fresh !== undefined ||
        // and is not noted to be of what is not there
        reasons.some(({ kind, text }) => kind === "asked" || text === OTHER_NAME)),
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
    summary: `the host has image ${reference} only under the name ${elsewhere.name}, which others may move to another image at any time`,
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
  resolution: ImageResolution & { kind: "resolved" } & {
    readonly way: Exclude<ImageWay, { readonly refused: string }>;
  },
): HostChange {
  const { sizeBytes, from, way } = resolution;
  const { by, orSent } = way;
  return {
    id: imageId(host, name),
    host,
    action: "import",
    text:
      from === undefined
        ? importText(image.reference, by)
        : `hand image ${image.reference} over from ${engineName(from.engine, config)}`,
    steps: [
      {
        kind: "import-image",
        image,
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
        ...(from === undefined ? {} : { from }),
        ...(by === undefined ? {} : { by }),
        ...(orSent === undefined ? {} : { orSent }),
      },
    ],
    after: [],
  };
}

function importText(reference: string, by: "host" | "controller" | undefined): string {
  if (by === undefined) return `import image ${reference}`;
  return by === "host"
    ? `let the host pull image ${reference}`
    : `send image ${reference} to the host`;
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
