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
export const PROBES_AT_ONCE = 8;

/** What a probe says of a container that runs. */
export interface Health {
  /** `starting`: it fails, within the start period. */
  readonly state: "healthy" | "unhealthy" | "starting";
  /** Why it is not healthy. */
  readonly reason?: string;
}

/** A container that can be asked. */
export interface FoundProbe extends Omit<ProbedContainer, "health"> {
  readonly reading: EngineReading;
}

/** A container that was asked, and what it came to. */
export interface ProbedContainer {
  readonly pod: ObservedPod;
  readonly name: string;
  readonly container: ObservedContainer;
  readonly probe: Probe;
  readonly health: Health;
}

/** Names a container of a generation. */
export function healthKey(pod: Parameters<typeof objectName>[0], container: string): string {
  return `${objectName(pod)}/${container}`;
}

/** What each probe of the fleet's containers on a host says, asked once, by {@link healthKey}. */
export async function checkHealth(
  access: HostAccess,
  found: Pick<HostEngines, "engines" | "records">,
  manifest: FleetManifest,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Health>> {
  const probed = await askProbes(access, findProbes(found, manifest), signal);
  return new Map(probed.map(({ pod, name, health }) => [healthKey(pod, name), health]));
}

/** The fleet's containers that run on a host and have a probe by what was last applied. */
export function findProbes(
  { engines, records }: Pick<HostEngines, "engines" | "records">,
  { id, name: fleetName }: Pick<FleetManifest, "id" | "name">,
): readonly FoundProbe[] {
  return engines.flatMap((reading) =>
    reading.pods
      .filter(({ owner, fleet }) => owner === id && fleet === fleetName)
      .flatMap((pod) => probesOf(reading, pod, records)),
  );
}

/** Asks containers, once: the same asking as that of an apply. */
export async function askProbes(
  access: HostAccess,
  asked: readonly FoundProbe[],
  signal: AbortSignal,
): Promise<readonly ProbedContainer[]> {
  const answers = await mapLimited(asked, PROBES_AT_ONCE, async (each) => ({
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

function probesOf(
  reading: EngineReading,
  pod: ObservedPod,
  records: HostEngines["records"],
): readonly FoundProbe[] {
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
  { reading, pod, name, probe }: FoundProbe,
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
