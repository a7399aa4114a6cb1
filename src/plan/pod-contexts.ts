import type { Diagnostic } from "../errors/index.ts";
import {
  type AppliedImage,
  generationDigest,
  type HostSpec,
  type PodSpec,
  type RecordReading,
} from "../model/index.ts";
import { fleetIdentities } from "./identities.ts";
import { podsOnHost } from "./observed-pods.ts";
import type { FleetIdentity, ResolvedPod } from "./plan.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";
import type { PodContext } from "./pod-context.ts";

/** The pods of one host, declared or found there, with all that is known of each. */
export function podContexts(
  input: PlanInput,
  host: string,
  spec: HostSpec | undefined,
  observation: HostObservation,
): { readonly contexts: readonly PodContext[]; readonly diagnostics: readonly Diagnostic[] } {
  const identities = fleetIdentities(input, observation);
  const declared = input.options.destroy === true ? {} : (spec?.pods ?? {});
  const found = groupPods(podsOnHost(observation), identities);
  const records = groupRecords(observation.records, identities);
  const names = new Set([...Object.keys(declared), ...found.keys(), ...records.keys()]);
  const diagnostics: Diagnostic[] = [];
  const contexts: PodContext[] = [];
  for (const pod of [...names].sort().filter((name) => isWanted(input, name))) {
    const podSpec = declared[pod];
    const resolved =
      podSpec === undefined ? undefined : resolvePod(input, host, pod, podSpec, diagnostics);
    // a pod whose image is not known is refused, not removed
    if (podSpec !== undefined && resolved === undefined) continue;
    const placed = found.get(pod) ?? [];
    const here = placed.filter(({ engine }) => engine === undefined);
    contexts.push({
      host,
      pod,
      declared: { owner: input.manifest.id, fleet: input.manifest.name, host },
      observation,
      generations: here.map((each) => each.pod),
      elsewhere: placed.flatMap(({ pod: each, engine }) =>
        engine === undefined ? [] : [{ pod: each, engine }],
      ),
      keepOld: input.options.keepOld ?? false,
      ...(input.options.ignoreFields === undefined
        ? {}
        : { ignoreFields: input.options.ignoreFields }),
      ...desiredPart(input, host, pod, resolved),
      ...recordPart(records.get(pod), placed.length > 0),
    });
  }
  return { contexts, diagnostics };
}

function isWanted(input: PlanInput, pod: string): boolean {
  return input.options.pods?.includes(pod) ?? true;
}

function desiredPart(
  input: PlanInput,
  host: string,
  pod: string,
  desired: ResolvedPod | undefined,
): Pick<PodContext, "desired" | "desiredDigest" | "secrets" | "imageUsers"> {
  if (desired === undefined) return {};
  const secrets = input.secrets.get(`${host}/${pod}`);
  return {
    desired,
    desiredDigest: generationDigest(desired),
    imageUsers: imageUsers(input, host, desired.spec),
    ...(secrets === undefined ? {} : { secrets }),
  };
}

function recordPart(
  reading: RecordReading | undefined,
  exists: boolean,
): Pick<PodContext, "record" | "recordLost"> {
  if (reading?.kind === "record") return { record: reading.record };
  if (reading?.kind === "unreadable") return { recordLost: `cannot be read (${reading.reason})` };
  return exists ? { recordLost: "is missing" } : {};
}

type FoundPod = ReturnType<typeof podsOnHost>[number];

function groupPods(
  pods: readonly FoundPod[],
  identities: readonly FleetIdentity[],
): ReadonlyMap<string, readonly FoundPod[]> {
  const grouped = new Map<string, FoundPod[]>();
  for (const found of pods) {
    const { pod } = found;
    if (!identities.some(({ owner, fleet }) => owner === pod.owner && fleet === pod.fleet))
      continue;
    const list = grouped.get(pod.pod);
    if (list === undefined) grouped.set(pod.pod, [found]);
    else list.push(found);
  }
  for (const list of grouped.values()) list.sort((a, b) => a.pod.generation - b.pod.generation);
  return grouped;
}

/** The record of each pod; where there are several, the one of the identity named first. */
function groupRecords(
  records: ReadonlyMap<string, RecordReading>,
  identities: readonly FleetIdentity[],
): ReadonlyMap<string, RecordReading> {
  const grouped = new Map<string, RecordReading>();
  for (const { owner, fleet } of identities.toReversed()) {
    const prefix = `${owner}/${fleet}/`;
    for (const [key, reading] of records) {
      if (key.startsWith(prefix)) grouped.set(key.slice(prefix.length), reading);
    }
  }
  return grouped;
}

function imageUsers(
  input: PlanInput,
  host: string,
  { containers }: PodSpec,
): Readonly<Record<string, string>> {
  const resolutions = input.images.get(host);
  return Object.fromEntries(
    Object.entries(containers).flatMap(([container, { image }]) => {
      const found = resolutions?.get(image);
      return found?.kind === "resolved" && found.user !== undefined
        ? [[container, found.user]]
        : [];
    }),
  );
}

function resolvePod(
  input: PlanInput,
  host: string,
  pod: string,
  spec: PodSpec,
  diagnostics: Diagnostic[],
): ResolvedPod | undefined {
  const resolutions = input.images.get(host);
  const images: Record<string, AppliedImage> = {};
  let complete = true;
  for (const [container, { image }] of Object.entries(spec.containers)) {
    const resolution = resolutions?.get(image);
    if (resolution?.kind === "resolved") {
      images[container] = resolution.image;
      continue;
    }
    complete = false;
    diagnostics.push({
      severity: "error",
      path: `hosts.${host}.pods.${pod}.containers.${container}.image`,
      summary: `image ${image} cannot be resolved`,
      detail: resolution?.reason ?? "it was not looked up",
    });
  }
  return complete ? { spec, images } : undefined;
}
