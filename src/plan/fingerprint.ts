import {
  digestOf,
  type EngineInfo,
  engineIdentity,
  type Json,
  type ObservedEngine,
  type ObservedPod,
} from "../model/index.ts";
import type { BootObservation, FilesObservation, HostObservation } from "./plan-input.ts";

/**
 * Digest of everything on a host that a plan depends on. What moves by itself (process ids, times,
 * who listens) is left out.
 */
export function fingerprintOf(observation: HostObservation): string {
  const { engine, info, others, records, rosters, volumes, files } = observation;
  return digestOf({
    ...enginePrint(info, engine),
    others: others
      .map((other) => ({
        id: engineIdentity(other.config),
        ...(other.kind === "observed"
          ? enginePrint(other.info, other.engine)
          : { state: other.kind }),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    records: [...records].map(([key, reading]) => [key, reading as unknown as Json]).sort(byKey),
    rosters: [...rosters].map(([key, reading]) => [key, reading as unknown as Json]).sort(byKey),
    volumes: [...volumes.keys()].sort(),
    missing: [...observation.missingPaths].sort(),
    ...(observation.boot === undefined ? {} : { boot: bootPrint(observation.boot) }),
    ...(files === undefined ? {} : { files: filesPrint(files) }),
  } as Json);
}

function filesPrint({ drift, directories, emptied }: FilesObservation) {
  return {
    drift: [...drift].map(([name, found]) => [name, found as unknown as Json]).sort(byKey),
    directories: directories.map(({ owner, fleet, name }) => `${owner}/${fleet}/${name}`).sort(),
    emptied: emptied.map(({ owner, fleet }) => `${owner}/${fleet}`).sort(),
  };
}

function bootPrint({ program, units }: BootObservation) {
  return {
    program,
    units: [...units]
      .map(([name, { text, enabled, runs }]) => [name, text, enabled, runs])
      .sort(byKey),
  };
}

function enginePrint({ kind, version }: EngineInfo, engine: ObservedEngine) {
  return {
    engine: `${kind} ${version}`,
    pods: engine.pods.map(podPrint).sort((a, b) => (a.id < b.id ? -1 : 1)),
    images: engine.images
      .map(({ name, digest, fleets }) => [name, digest, ...[...(fleets ?? [])].sort()].join(" "))
      .sort(),
    leftovers: engine.leftovers.map(({ name }) => name).sort(),
  };
}

function podPrint(pod: ObservedPod) {
  const { owner, fleet, pod: name, generation, recordDigest, reported } = pod;
  const containers = Object.fromEntries(
    Object.entries(pod.containers).map(
      ([container, { id, state, image, reported: fields, altered }]) => [
        container,
        { id, state, image: image.digest, fields, altered },
      ],
    ),
  );
  return {
    id: `${owner}/${fleet}/${name}/${generation}`,
    recordDigest,
    state: pod.state,
    ...(pod.detached === undefined ? {} : { detached: pod.detached }),
    reported,
    containers,
  };
}

function byKey(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}
