import { anySignal, createLimiter } from "../../internal/index.ts";
import { type FleetManifest, type HostSpec, probeTiming } from "../../model/index.ts";
import { processKey, type UnhealthyContainer } from "../../plan/index.ts";
import type { HostAccess } from "../connector.ts";
import {
  askProbes,
  type FoundProbe,
  findProbes,
  healthKey,
  PROBES_AT_ONCE,
  type ProbedContainer,
} from "../health/check-health.ts";
import { readEngines } from "../observe/read-engines.ts";
import type { WatchClock, WatchRequest } from "./watch-request.ts";

/** What answers within this part of its pause is asked again together with what was asked at the same time. */
const QUICK = 0.1;

/** How a container's probe goes. */
interface Going {
  readonly process: string;
  /** Tries in a row that failed and count. */
  readonly failed: number;
  readonly dueAt: number;
  /** It failed as often as it may. */
  readonly unhealthy?: UnhealthyContainer & { readonly restarts: boolean };
}

/**
 * The probes of a host's containers, over time: one that passes is asked seldom, one that fails as it says, and one
 * that answers slowly keeps no other waiting.
 */
export class ProbedHost {
  readonly #request: WatchRequest;
  readonly #clock: WatchClock;
  readonly #host: string;
  readonly #onRestart: () => void;
  readonly #limit = createLimiter(PROBES_AT_ONCE);
  #going: ReadonlyMap<string, Going> = new Map();
  /** Of processes that have not answered yet. */
  readonly #asked = new Map<string, Promise<void>>();
  #lookedAt = 0;
  #stop = new AbortController();
  #answered = new AbortController();
  #failure: unknown;

  /** @param onRestart called when a pod is to be ended for a new start */
  constructor(request: WatchRequest, clock: WatchClock, host: string, onRestart: () => void) {
    this.#request = request;
    this.#clock = clock;
    this.#host = host;
    this.#onRestart = onRestart;
  }

  /** What failed as often in a row as it may, and runs still. */
  unhealthy(): readonly UnhealthyContainer[] {
    return [...this.#going.values()].flatMap(({ unhealthy }) => unhealthy ?? []);
  }

  /** Begins to ask what is due. @throws StowageError when the host, or one of its engines, cannot be asked */
  async ask(
    access: HostAccess,
    spec: HostSpec,
    manifest: FleetManifest,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const found = await readEngines(access, { name: this.#host, spec, manifest, signal });
    const now = this.#clock.now();
    this.#lookedAt = now;
    const { pods } = this.#request.options;
    const probes = findProbes(found, manifest).filter(({ pod }) => pods?.includes(pod.pod) ?? true);
    const before = this.#going;
    const going = new Map(
      probes.map(({ pod, name, container }) => {
        const known = before.get(healthKey(pod, name));
        const process = processKey(container);
        const own = known?.process === process ? known : { process, failed: 0, dueAt: now };
        return [healthKey(pod, name), own];
      }),
    );
    this.#become(going);
    for (const probe of probes) {
      const key = healthKey(probe.pod, probe.name);
      const { process, dueAt = now } = going.get(key) ?? {};
      const id = `${key} ${process}`;
      if (dueAt > now || this.#asked.has(id)) continue;
      this.#asked.set(id, this.#begin(access, probe, id, anySignal([signal, this.#stop.signal])));
    }
  }

  /** Waits until something is to be asked, whatever answers meanwhile. */
  async rest(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#failure === undefined) {
      const waitMs = this.#dueAt() - this.#clock.now();
      if (waitMs <= 0) return;
      this.#answered = new AbortController();
      await this.#clock.sleep(waitMs, anySignal([signal, this.#answered.signal]));
    }
  }

  /** Gives up what has not answered yet; it is asked again the next time. */
  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#asked.values());
    this.#stop = new AbortController();
    this.#failure = undefined;
  }

  /** Nothing of it is asked any more. */
  forget(): void {
    this.#become(new Map());
  }

  #dueAt(): number {
    const latest = this.#lookedAt + this.#request.times.probeIntervalMs;
    const due = [...this.#going]
      .filter(([key, { process }]) => !this.#asked.has(`${key} ${process}`))
      .map(([, { dueAt }]) => dueAt);
    return Math.min(latest, ...due);
  }

  /** Never fails: that is for the next {@link ask} to do. */
  async #begin(
    access: HostAccess,
    probe: FoundProbe,
    id: string,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#limit(async () => {
        const askedAt = this.#clock.now();
        for (const probed of await askProbes(access, [probe], signal)) this.#take(probed, askedAt);
      });
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#asked.delete(id);
      this.#answered.abort();
    }
  }

  #take(probed: ProbedContainer, askedAt: number): void {
    const key = healthKey(probed.pod, probed.name);
    const before = this.#going.get(key);
    // another process may have come in its place
    if (before?.process !== processKey(probed.container)) return;
    const next = this.#next(probed, before, askedAt);
    this.#become(new Map(this.#going).set(key, next));
    if (next.unhealthy?.restarts === true) this.#onRestart();
  }

  #become(going: ReadonlyMap<string, Going>): void {
    const before = this.#going;
    this.#going = going;
    this.#tell(before, going);
  }

  #next({ pod, name, probe, health }: ProbedContainer, before: Going, askedAt: number): Going {
    const { intervalMs, retries } = probeTiming(probe);
    const { process } = before;
    const dueIn = (pauseMs: number): number => {
      const now = this.#clock.now();
      return (now - askedAt < pauseMs * QUICK ? askedAt : now) + pauseMs;
    };
    if (health.state === "healthy") {
      const pauseMs = Math.max(intervalMs, this.#request.times.probeIntervalMs);
      return { process, failed: 0, dueAt: dueIn(pauseMs) };
    }
    const failed = health.state === "starting" ? 0 : before.failed + 1;
    const going = { process, failed, dueAt: dueIn(intervalMs) };
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
