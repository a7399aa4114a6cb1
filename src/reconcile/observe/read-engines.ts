import type { EngineReader } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import {
  type EngineConfig,
  type FleetManifest,
  type HostSpec,
  hostDirectories,
  type ObservedPod,
  type RecordReading,
} from "../../model/index.ts";
import type { HostReading } from "../connector.ts";
import { otherEngines } from "./other-engines.ts";
import { readRecords, readRosters } from "./read-files.ts";

/** One engine of a host and the pods in it, of every fleet. */
export interface EngineReading {
  readonly config: EngineConfig;
  readonly engine: EngineReader;
  readonly pods: readonly ObservedPod[];
}

/** The engines of a host that may hold pods of a fleet. */
export interface HostEngines {
  /** The declared one first. */
  readonly engines: readonly EngineReading[];
  /** Records of the fleet's pods, by `owner/fleet/pod`. */
  readonly records: ReadonlyMap<string, RecordReading>;
  /** Why another one that is there could not be asked. */
  readonly problems: readonly string[];
}

/**
 * The pods of a host in its declared engine, and in those that its records and its roster name beside
 * that; one that is not there any more is left out.
 *
 * @throws StowageError when the host or its declared engine cannot be asked
 */
export async function readEngines(
  reading: HostReading,
  request: {
    readonly name: string;
    readonly spec: HostSpec;
    readonly manifest: FleetManifest;
    readonly signal: AbortSignal;
  },
): Promise<HostEngines> {
  const { name, spec, manifest, signal } = request;
  const { stateDir } = hostDirectories(spec);
  const fleetDir = `${stateDir}/${manifest.id}/${manifest.name}`;
  const files = [`${fleetDir}/*.json`, `${fleetDir}/.roster.json`];
  const [own, snapshot] = await Promise.all([
    readEngine(spec.engine, reading.engine, signal),
    reading.host.snapshot({ files }, { signal }),
  ]);
  const found = {
    records: await readRecords(snapshot, spec),
    rosters: readRosters(snapshot, stateDir),
  };
  const engines: EngineReading[] = [own];
  const problems: string[] = [];
  for (const config of otherEngines(found, { name, config: spec.engine })) {
    try {
      engines.push(await readEngine(config, await reading.engineAt(config), signal));
    } catch (error) {
      signal.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      if (error.code !== "not_found") problems.push(error.message);
    }
  }
  return { engines, records: found.records, problems };
}

async function readEngine(
  config: EngineConfig,
  engine: EngineReader,
  signal: AbortSignal,
): Promise<EngineReading> {
  return { config, engine, pods: (await engine.observe({ signal, podsOnly: true })).pods };
}
