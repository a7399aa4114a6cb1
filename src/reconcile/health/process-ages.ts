import { type HostReader, startTicks } from "../../host/index.ts";
import type { ObservedEngine } from "../../model/index.ts";

/** Ticks a second in what Linux tells programs, whatever its own timer does. */
const TICKS = 100;

/** How long processes of a host run, ms, by their id; unknown ones are left out. */
export async function processAges(
  host: HostReader,
  pids: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  if (pids.length === 0) return new Map();
  const paths = pids.map((pid) => `/proc/${pid}/stat`);
  const { files } = await host.snapshot({ files: ["/proc/uptime", ...paths] }, { signal });
  const uptime = Number(String(files.get("/proc/uptime") ?? "").split(" ")[0]);
  const found = pids.flatMap((pid): [number, number][] => {
    const stat = files.get(`/proc/${pid}/stat`);
    if (typeof stat !== "string") return [];
    const ageMs = (uptime - Number(startTicks(stat)) / TICKS) * 1000;
    return Number.isFinite(ageMs) ? [[pid, ageMs]] : [];
  });
  return new Map(found);
}

/** Ages of processes, and when they were that old, by `performance.now()`. */
export interface KnownAges {
  readonly at: number;
  readonly ages: ReadonlyMap<number, number>;
}

const known = new WeakMap<ObservedEngine, Promise<KnownAges>>();

/** Like {@link processAges}, of all processes that an observation tells of; read once for all who ask. */
export async function agesOfAll(
  host: HostReader,
  seen: ObservedEngine,
  signal: AbortSignal,
): Promise<KnownAges> {
  const ages = known.get(seen) ?? readAges(host, seen, signal);
  known.set(seen, ages);
  return await ages;
}

async function readAges(
  host: HostReader,
  seen: ObservedEngine,
  signal: AbortSignal,
): Promise<KnownAges> {
  const pids = seen.pods.flatMap(({ containers }) =>
    Object.values(containers).flatMap(({ pid }) => pid ?? []),
  );
  const ages = await processAges(host, pids, signal);
  return { at: performance.now(), ages };
}
