import { mapLimited } from "../../internal/index.ts";
import {
  type ContainerSpec,
  type FleetManifest,
  type ObservedContainer,
  type ObservedPod,
  objectName,
  type Probe,
  probeTiming,
} from "../../model/index.ts";
import type { HostAccess } from "../connector.ts";
import type { EngineReading, HostEngines } from "../observe/read-engines.ts";
import { processAges } from "./process-ages.ts";
import { runProbe } from "./run-probe.ts";

/** Probes of one host that are run at once. */
const AT_ONCE = 8;

/** What a probe says of a container that runs. */
export interface Health {
  /** `starting`: it fails, within the start period. */
  readonly state: "healthy" | "unhealthy" | "starting";
  /** Why it is not healthy. */
  readonly reason?: string;
}

/** A container that was asked, and what it came to. */
export interface ProbedContainer {
  readonly pod: ObservedPod;
  readonly name: string;
  readonly container: ObservedContainer;
  readonly probe: Probe;
  readonly health: Health;
}

/** Names a container of a generation among those of {@link checkHealth}. */
export function healthKey(pod: Parameters<typeof objectName>[0], container: string): string {
  return `${objectName(pod)}/${container}`;
}

/** What {@link probeContainers} says, by {@link healthKey}. */
export async function checkHealth(
  access: HostAccess,
  found: Pick<HostEngines, "engines" | "records">,
  manifest: FleetManifest,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Health>> {
  const probed = await probeContainers(access, found, manifest, signal);
  return new Map(probed.map(({ pod, name, health }) => [healthKey(pod, name), health]));
}

/**
 * Asks each probe of the fleet's containers that run on a host, once: those of what was last applied. The same
 * asking as that of an apply.
 *
 * @param isWanted leaves out what is not to be asked now; all are when absent
 */
export async function probeContainers(
  access: HostAccess,
  { engines, records }: Pick<HostEngines, "engines" | "records">,
  { id, name: fleetName }: Pick<FleetManifest, "id" | "name">,
  signal: AbortSignal,
  isWanted: (container: Omit<ProbedContainer, "health">) => boolean = () => true,
): Promise<readonly ProbedContainer[]> {
  const asked = engines.flatMap((reading) =>
    reading.pods
      .filter(({ owner, fleet }) => owner === id && fleet === fleetName)
      .flatMap((pod) => probesOf(reading, pod, records))
      .filter(isWanted),
  );
  const answers = await mapLimited(asked, AT_ONCE, async (each) => ({
    ...each,
    problem: await ask(access, each, signal),
  }));
  const failed = answers.filter(({ problem }) => problem !== undefined);
  const pids = failed.flatMap(({ container }) => container.pid ?? []);
  const ages = await processAges(access.host, pids, signal);
  return answers.map(({ pod, name, probe, problem, container }) => {
    const ageMs = ages.get(container.pid ?? 0) ?? Number.POSITIVE_INFINITY;
    return { pod, name, container, probe, health: verdict(problem, ageMs, probe) };
  });
}

interface Asked extends Omit<ProbedContainer, "health"> {
  readonly reading: EngineReading;
}

function probesOf(
  reading: EngineReading,
  pod: ObservedPod,
  records: HostEngines["records"],
): readonly Asked[] {
  const found = records.get(`${pod.owner}/${pod.fleet}/${pod.pod}`);
  const generations = found?.kind === "record" ? found.record.generations : [];
  const spec = generations.find(({ generation }) => generation === pod.generation)?.spec;
  return Object.entries(pod.containers).flatMap(([name, container]) => {
    const declared: ContainerSpec | undefined = spec?.containers[name];
    const probe = declared?.health;
    if (probe === undefined || container.state !== "running") return [];
    return [{ reading, pod, name, container, probe }];
  });
}

async function ask(
  access: HostAccess,
  { reading, pod, name, probe }: Asked,
  signal: AbortSignal,
): Promise<string | undefined> {
  const engine = await access.engineAt(reading.config);
  const { owner, fleet, host, generation } = pod;
  const identity = { owner, fleet, host, pod: pod.pod, generation };
  const { timeoutMs } = probeTiming(probe);
  const session = { engine, host: access.host, signal };
  return await runProbe(session, identity, name, probe, timeoutMs, pod.address);
}

function verdict(problem: string | undefined, ageMs: number, probe: Probe): Health {
  if (problem === undefined) return { state: "healthy" };
  const { startPeriodMs } = probeTiming(probe);
  return { state: ageMs < startPeriodMs ? "starting" : "unhealthy", reason: problem };
}
