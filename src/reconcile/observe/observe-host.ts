import type { ObserveOptions } from "../../engine/index.ts";
import type { HostReader, HostSnapshot } from "../../host/index.ts";
import {
  fleetNames,
  type HostSpec,
  hostDirectories,
  hostLayout,
  isNetworked,
  type RecordReading,
  type RosterReading,
} from "../../model/index.ts";
import type { HostObservation } from "../../plan/index.ts";
import type { HostReading } from "../connector.ts";
import { describeHolder, lockRequest, readLockState } from "../lock/lock-file.ts";
import { bootWanted, observeBoot } from "./observe-boot.ts";
import { observeFiles, wantedFiles } from "./observe-files.ts";
import type { ObserveHostRequest } from "./observe-request.ts";
import { observeOthers } from "./other-engines.ts";
import { readMarks, readRecords, readRosters } from "./read-files.ts";
import { takenPorts } from "./taken-ports.ts";
import { findVolumes } from "./volumes.ts";
import { wantedLinks, wantedPlaces, wrongPlaces } from "./wrong-places.ts";

/**
 * What a host looks like: one pass over its engine and one reading of its files, whatever the number
 * of pods. Ports are only read if one is declared that no running pod has.
 *
 * @throws StowageError when the host or its engine cannot be asked
 */
export async function observeHost(
  reading: Omit<HostReading, typeof Symbol.asyncDispose>,
  request: ObserveHostRequest,
): Promise<HostObservation> {
  const { host, engine } = reading;
  const options = request.signal === undefined ? {} : { signal: request.signal };
  const [info, capabilities, observed, { snapshot, records, rosters }] = await Promise.all([
    engine.info(options),
    engine.capabilities(options),
    engine.observe({ ...options, ...networkOptions(request.spec) }),
    readFiles(host, request),
  ]);
  const config = request.spec.engine;
  const others = await observeOthers(reading, { records, rosters }, { ...request, config });
  const found = { engine: observed, others, records, rosters };
  const [volumes, taken, boot, wrong] = await Promise.all([
    findVolumes(host, snapshot, request, rosters),
    takenPorts(host, request, found),
    observeBoot(host, snapshot, options),
    wrongPlaces(host, snapshot, request, options),
  ]);
  const files = observeFiles(snapshot, request, found);
  const marks = readMarks(snapshot, request);
  const busy = holderWords(snapshot, request);
  const missing = wantedPaths(request.spec).filter((path) => !snapshot.existing.has(path));
  return {
    kind: "observed",
    config,
    info,
    capabilities,
    engine: observed,
    others,
    records,
    rosters,
    volumes,
    taken,
    ...(files === undefined ? {} : { files }),
    ...(boot === undefined ? {} : { boot }),
    ...(marks === undefined ? {} : { marks }),
    ...(busy === undefined ? {} : { busy }),
    missingPaths: new Set(missing),
    ...(wrong.length === 0 ? {} : { wrongPlaces: wrong }),
  };
}

/** Who holds the host's lock, where that was asked and somebody does. */
function holderWords(
  snapshot: HostSnapshot,
  { spec, heedLocks }: ObserveHostRequest,
): string | undefined {
  if (heedLocks !== true) return undefined;
  const lock = readLockState(snapshot, lockDirOf(spec));
  return lock.isHeld ? describeHolder(lock) : undefined;
}

function lockDirOf(spec: HostSpec): string {
  return hostLayout(hostDirectories(spec), "", "").lockDir;
}

type NetworkOptions = Pick<ObserveOptions, "network" | "portsOnly" | "cni">;

/** What to look at of the host's network: whether a pod wants something of it, and which of its own. */
function networkOptions({ pods = {} }: HostSpec): NetworkOptions {
  const specs = Object.values(pods);
  const cni = specs.flatMap(({ network }) => network?.cni ?? []);
  const networked = specs.some(isNetworked);
  const ports = specs.some((spec) => (spec.ports ?? []).length > 0);
  return {
    network: networked || ports,
    portsOnly: !networked,
    ...(cni.length === 0 ? {} : { cni }),
  };
}

interface HostFiles {
  readonly snapshot: HostSnapshot;
  readonly records: ReadonlyMap<string, RecordReading>;
  readonly rosters: ReadonlyMap<string, RosterReading>;
}

/** Read and understood while the engine is at work. */
async function readFiles(host: HostReader, request: ObserveHostRequest): Promise<HostFiles> {
  const snapshot = await snapshotOf(host, request);
  const { stateDir } = hostDirectories(request.spec);
  return {
    snapshot,
    records: await readRecords(snapshot, request.spec),
    rosters: readRosters(snapshot, stateDir, request.knownRosterHosts),
  };
}

async function snapshotOf(host: HostReader, request: ObserveHostRequest): Promise<HostSnapshot> {
  const { manifest, spec, signal } = request;
  const directories = hostDirectories(spec);
  const fleets = fleetNames(manifest);
  const layouts = fleets.map((fleet) => hostLayout(directories, manifest.id, fleet));
  const lock = request.heedLocks === true ? lockRequest(lockDirOf(spec)) : { list: [], files: [] };
  return await host.snapshot(
    {
      files: [
        ...fleets.map((fleet) => `${directories.stateDir}/*/${fleet}/*.json`),
        `${directories.stateDir}/*/*/.roster.json`,
        ...layouts.map(({ rolloutFile }) => rolloutFile("*")),
        ...bootWanted(host).files,
        ...lock.files,
      ],
      list: [
        ...layouts.flatMap(({ volumesDir, rolloutsDir }) => [volumesDir, rolloutsDir]),
        ...wantedFiles(request).list,
        ...bootWanted(host).list,
        ...lock.list,
      ],
      contents: wantedFiles(request).contents,
      exist: [...wantedPaths(spec), ...wantedPlaces(request), ...bootWanted(host).exist],
      links: wantedLinks(request),
    },
    signal === undefined ? {} : { signal },
  );
}

/** Paths of the host that its pods need to be there. */
function wantedPaths(spec: HostSpec): readonly string[] {
  const paths = Object.values(spec.pods ?? {}).flatMap((pod) => [
    ...Object.values(pod.volumes ?? {}).flatMap((volume) =>
      volume.kind === "bind" ? [volume.path] : [],
    ),
    ...Object.values(pod.containers).flatMap(({ devices }) =>
      (devices ?? []).map(({ path }) => path),
    ),
  ]);
  return [...new Set(paths)];
}
