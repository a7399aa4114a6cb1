import { type FleetManifest, type HostSpec, probeTiming } from "../../model/index.ts";
import { processKey, type UnhealthyContainer } from "../../plan/index.ts";
import type { HostAccess } from "../connector.ts";
import { healthKey, type ProbedContainer, probeContainers } from "../health/check-health.ts";
import { readEngines } from "../observe/read-engines.ts";
import type { WatchClock, WatchRequest } from "./watch-request.ts";

/** How a container's probe goes. */
interface Going {
  readonly process: string;
  /** Tries in a row that failed and count. */
  readonly failed: number;
  readonly dueAt: number;
  /** It failed as often as it may. */
  readonly unhealthy?: UnhealthyContainer & { readonly restarts: boolean };
}

/** The probes of a host's containers, over time: one that passes is asked seldom, one that fails as it says. */
export class ProbedHost {
  readonly #request: WatchRequest;
  readonly #clock: WatchClock;
  readonly #host: string;
  #going: ReadonlyMap<string, Going> = new Map();

  constructor(request: WatchRequest, clock: WatchClock, host: string) {
    this.#request = request;
    this.#clock = clock;
    this.#host = host;
  }

  /** What failed as often in a row as it may, and runs still. */
  unhealthy(): readonly UnhealthyContainer[] {
    return [...this.#going.values()].flatMap(({ unhealthy }) => unhealthy ?? []);
  }

  /** When something is to be asked next. */
  dueAt(): number {
    const latest = this.#clock.now() + this.#request.times.probeIntervalMs;
    return Math.min(latest, ...[...this.#going.values()].map(({ dueAt }) => dueAt));
  }

  /** Asks what is due. @returns whether a pod is to be ended for a new start */
  async ask(
    access: HostAccess,
    spec: HostSpec,
    manifest: FleetManifest,
    signal: AbortSignal,
  ): Promise<boolean> {
    const found = await readEngines(access, { name: this.#host, spec, manifest, signal });
    const now = this.#clock.now();
    const { pods } = this.#request.options;
    const before = this.#going;
    const kept = new Map<string, Going>();
    const probed = await probeContainers(access, found, manifest, signal, (each) => {
      if (pods?.includes(each.pod.pod) === false) return false;
      const key = healthKey(each.pod, each.name);
      const going = before.get(key);
      if (going === undefined || going.process !== processKey(each.container)) return true;
      kept.set(key, going);
      return going.dueAt <= now;
    });
    for (const each of probed) {
      const key = healthKey(each.pod, each.name);
      kept.set(key, this.#next(each, kept.get(key)));
    }
    this.#going = kept;
    this.#tell(before, kept);
    const asked = new Set(probed.map(({ pod, name }) => healthKey(pod, name)));
    return [...kept].some(([key, { unhealthy }]) => asked.has(key) && unhealthy?.restarts);
  }

  #next({ pod, name, container, probe, health }: ProbedContainer, before?: Going): Going {
    const { intervalMs, retries } = probeTiming(probe);
    const process = processKey(container);
    const now = this.#clock.now();
    if (health.state === "healthy") {
      const pauseMs = Math.max(intervalMs, this.#request.times.probeIntervalMs);
      return { process, failed: 0, dueAt: now + pauseMs };
    }
    const failed = health.state === "starting" ? 0 : (before?.failed ?? 0) + 1;
    const going = { process, failed, dueAt: now + intervalMs };
    if (failed < retries) return going;
    return {
      ...going,
      unhealthy: {
        id: `${this.#host}/${pod.pod}`,
        container: name,
        generation: pod.generation,
        process,
        reason: health.reason ?? "its probe fails",
        restarts: probe.whenUnhealthy === "restart",
      },
    };
  }

  /** Tells what became unhealthy, and what is so no more; each once. */
  #tell(before: ReadonlyMap<string, Going>, now: ReadonlyMap<string, Going>): void {
    const { onEvent } = this.#request;
    for (const [key, { unhealthy, failed, process }] of now) {
      const was = before.get(key);
      if (unhealthy === undefined) continue;
      if (was?.unhealthy !== undefined && was.process === process) continue;
      const { id, container, reason, restarts } = unhealthy;
      onEvent({ type: "unhealthy", id, container, reason, tries: failed, restarts });
    }
    for (const [key, { unhealthy }] of before) {
      const is = now.get(key);
      if (unhealthy === undefined || is?.unhealthy !== undefined) continue;
      const how = is?.process === unhealthy.process ? "passes" : "ended";
      onEvent({ type: "recovered", id: unhealthy.id, container: unhealthy.container, how });
    }
  }
}
