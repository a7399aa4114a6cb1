import { setTimeout as sleep } from "node:timers/promises";
import { engineName, type FleetManifest } from "../../model/index.ts";
import type { HostReading } from "../connector.ts";
import type { EngineReading, HostEngines } from "../observe/read-engines.ts";
import { findCgroups, readStats, type Stats, type StatsTarget } from "./read-stats.ts";

/** What a container that runs uses. */
export interface ContainerStats extends Stats {
  readonly pod: string;
  readonly generation: number;
  readonly engine: string;
  readonly container: string;
  /** Of one CPU, over the time that was looked. */
  readonly cpuPercent?: number;
}

/**
 * What the fleet's running containers of a host use, over a time of `intervalMs`. Read from the kernel, in two
 * looks whatever their number is: no engine is asked, and all have the same numbers.
 */
export async function sampleStats(
  { host }: Pick<HostReading, "host">,
  found: Pick<HostEngines, "engines" | "records">,
  manifest: FleetManifest,
  { intervalMs, signal }: { readonly intervalMs: number; readonly signal: AbortSignal },
): Promise<readonly ContainerStats[]> {
  const running = found.engines.flatMap((reading) => runningIn(reading, found, manifest));
  if (running.length === 0) {
    await sleep(intervalMs, undefined, { signal });
    return [];
  }
  const cgroups = await findCgroups(host, running, signal);
  const before = await readStats(host, running, cgroups, signal);
  await sleep(intervalMs, undefined, { signal });
  const after = await readStats(host, running, cgroups, signal);
  const spanMs = after.atMs - before.atMs;
  return running.map(({ pid, hasNetwork: _, ...row }) => {
    const [old, now] = [before.stats.get(pid), after.stats.get(pid)];
    const isCounted = old?.cpuUs !== undefined && now?.cpuUs !== undefined && spanMs > 0;
    const used = isCounted ? Math.max(0, (now?.cpuUs ?? 0) - (old?.cpuUs ?? 0)) : undefined;
    const cpu = used === undefined ? {} : { cpuPercent: Math.round(used / spanMs) / 10 };
    return { ...row, ...now, ...cpu };
  });
}

type Running = StatsTarget & Pick<ContainerStats, "pod" | "generation" | "engine" | "container">;

function runningIn(
  { config, pods }: EngineReading,
  { records }: Pick<HostEngines, "records">,
  { id, name }: FleetManifest,
): readonly Running[] {
  return pods
    .filter(({ owner, fleet }) => owner === id && fleet === name)
    .flatMap(({ pod, generation, containers }) => {
      const reading = records.get(`${id}/${name}/${pod}`);
      const generations = reading?.kind === "record" ? reading.record.generations : [];
      const spec = generations.find((each) => each.generation === generation)?.spec;
      const hasNetwork = spec !== undefined && spec.network?.mode !== "host";
      return Object.entries(containers).flatMap(([container, { state, pid }]): Running[] => {
        if (state !== "running" || pid === undefined) return [];
        return [{ pod, generation, engine: engineName(config), container, pid, hasNetwork }];
      });
    });
}
