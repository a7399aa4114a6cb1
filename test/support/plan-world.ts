import {
  attributesOf,
  type CapabilityTable,
  FleetManifest,
  generationDigest,
  isNetworked,
  type Json,
  MANIFEST_VERSION,
  type ObservedContainer,
  type ObservedPod,
  type PodRecord,
  PodSpec,
  podState,
  RECORD_VERSION,
  type RecordedGeneration,
  type RecordReading,
  ROSTER_VERSION,
} from "../../src/model/index.ts";
import type { HostObservation, ImageResolution, PlanInput } from "../../src/plan/index.ts";

/** Owner of the fleets that tests declare. */
export const OWNER = "owner-1";

/** A digest that stands for an image reference. */
export function digestFor(reference: string): string {
  return `sha256:${Buffer.from(reference).toString("hex").padEnd(64, "0").slice(0, 64)}`;
}

/** A pod with one container, and whatever else is said. */
export function pod(
  container: Partial<PodSpec["containers"][string]> = {},
  rest: Partial<PodSpec> = {},
): PodSpec {
  return PodSpec.parse({ containers: { main: { image: "app:1", ...container } }, ...rest });
}

/** A manifest with one host `a` that holds pods. */
export function fleet(pods: Readonly<Record<string, PodSpec>>, rest: object = {}): FleetManifest {
  return FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: OWNER,
    hosts: { a: { address: "local", engine: { kind: "sim" }, pods } },
    ...rest,
  });
}

/** A generation of a pod as it was applied. */
export function applied(spec: PodSpec, generation = 1): RecordedGeneration {
  const images = Object.fromEntries(
    Object.entries(spec.containers).map(([name, { image }]) => [
      name,
      { reference: image, digest: digestFor(image) },
    ]),
  );
  return { generation, spec, images, defaults: 1 };
}

/** That generation as an engine reports it that can report everything. */
export function observed(
  name: string,
  entry: RecordedGeneration,
  state: ObservedContainer["state"] = "running",
  change: Partial<ObservedContainer> = {},
): ObservedPod {
  const attributes = [...attributesOf(PodSpec, entry.spec).values()];
  const reportedOf = (prefix: string): Record<string, Json> =>
    Object.fromEntries(
      attributes
        .filter(({ path }) => path.startsWith(prefix))
        .map(({ path, value }) => [path.slice(prefix.length), value]),
    );
  const containers = Object.keys(entry.spec.containers).map((container) => {
    const image = entry.images[container] as { reference: string; digest: string };
    const reported = reportedOf(`containers.${container}.`);
    return [container, { id: `stw-${name}`, state, image, reported, ...change }] as const;
  });
  return {
    owner: OWNER,
    fleet: "shop",
    host: "a",
    pod: name,
    generation: entry.generation,
    recordDigest: generationDigest(entry),
    state: podState(containers.map(([, each]) => each.state)),
    containers: Object.fromEntries(containers),
    reported: {},
    ...(isNetworked(entry.spec) && state === "running" ? { address: "10.1.0.2" } : {}),
  };
}

/** The record of a pod whose last generation was proven. */
export function record(
  name: string,
  generations: readonly RecordedGeneration[],
  current: number | undefined = generations.at(-1)?.generation,
): [string, RecordReading] {
  const made: PodRecord = {
    version: RECORD_VERSION,
    owner: OWNER,
    fleet: "shop",
    host: "a",
    pod: name,
    ...(current === undefined ? {} : { current }),
    generations,
    appliedAt: "2026-01-01T00:00:00Z",
    appliedBy: "test@host",
  };
  return [`${OWNER}/shop/${name}`, { kind: "record", record: made }];
}

/** An engine that can do everything. */
export const EVERYTHING: CapabilityTable = Object.fromEntries(
  ["pull", ...Object.keys(PodSpec.shape)].map((key) => [key, { support: "native" as const }]),
);

/** What host `a` looks like: nothing on it but what is said. */
export function host(change: Partial<HostObservation> = {}): HostObservation {
  return {
    kind: "observed",
    config: { kind: "sim" },
    others: [],
    info: { kind: "sim", version: "1.0", platform: { os: "linux", architecture: "amd64" } },
    capabilities: EVERYTHING,
    engine: { pods: [], images: [], leftovers: [] },
    records: new Map(),
    rosters: new Map([
      [
        `${OWNER}/shop`,
        {
          kind: "roster",
          roster: {
            version: ROSTER_VERSION,
            owner: OWNER,
            fleet: "shop",
            manager: "cli",
            hosts: { a: { address: "local", engine: "sim" } },
            appliedAt: "2026-01-01T00:00:00Z",
            appliedBy: "test@host",
          },
        },
      ],
    ]),
    volumes: new Map(),
    taken: [],
    missingPaths: new Set(),
    ...change,
  };
}

/** A host on which pods run as they were applied, their images held. */
export function hostWith(
  pods: readonly ObservedPod[],
  records: readonly [string, RecordReading][],
  change: Partial<HostObservation> = {},
): HostObservation {
  const images = pods.flatMap((each) => Object.values(each.containers).map(({ image }) => image));
  return host({
    engine: {
      pods,
      images: images.map(({ reference, digest }) => ({
        name: `${reference}@${digest}`,
        digest: digest as string,
        fleets: [`${OWNER}/shop`],
        inUse: true,
      })),
      leftovers: [],
    },
    records: new Map(records),
    volumes: volumesOf(records),
    ...change,
  });
}

/** The named volumes of what was applied, as they lie on the host. */
function volumesOf(records: readonly [string, RecordReading][]): HostObservation["volumes"] {
  const volumes = records
    .flatMap(([, reading]) => (reading.kind === "record" ? reading.record.generations : []))
    .flatMap(({ spec }) => Object.values(spec.volumes ?? {}));
  const names = volumes.flatMap((volume) => (volume.kind === "named" ? [volume.name] : []));
  return new Map(names.map((name) => [name, { path: `/v/${name}` }]));
}

/** The input of a plan over one host, every reference of the manifest resolved. */
export function input(
  manifest: FleetManifest,
  observation: HostObservation | { kind: "unreachable"; reason: string },
  change: Partial<PlanInput> = {},
): PlanInput {
  const references = Object.values(manifest.hosts)
    .flatMap(({ pods }) => Object.values(pods ?? {}))
    .flatMap(({ containers }) => Object.values(containers).map(({ image }) => image));
  const resolutions = new Map(
    references.map((reference): [string, ImageResolution] => [
      reference,
      { kind: "resolved", image: { reference, digest: digestFor(reference) }, available: true },
    ]),
  );
  return {
    manifest,
    hosts: new Map(Object.keys(manifest.hosts).map((name) => [name, observation])),
    leaving: new Map(),
    images: new Map(Object.keys(manifest.hosts).map((name) => [name, resolutions])),
    secrets: new Map(),
    options: {},
    ...change,
  };
}
