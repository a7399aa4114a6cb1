import { setTimeout as delay } from "node:timers/promises";
import type { FleetManifest } from "../../src/model/index.ts";
import type { WatchEnd, WatchEvent, WatchRequest } from "../../src/reconcile/index.ts";
import { watchFleet } from "../../src/reconcile/index.ts";
import { SimFleet } from "./sim-fleet.ts";

const WAIT_MS = 25_000;
/** A watch's seconds are that much shorter. */
const SPEED = 50;

/** Those of {@link WatchedFleet}. */
export const WATCH_TIMES = {
  intervalMs: 2000,
  fullIntervalMs: 600_000,
  maxPauseMs: 300_000,
  probeIntervalMs: 10_000,
};

/** A simulated fleet that is watched, in time that runs faster; dispose it to end that. */
export class WatchedFleet implements AsyncDisposable {
  readonly fleet = new SimFleet();
  readonly events: WatchEvent[] = [];
  /** What the declaration is changed to next, or why it is broken. */
  next: FleetManifest | Error | undefined;
  readonly #drain = new AbortController();
  #ended: Promise<WatchEnd> = Promise.resolve("done");

  /** One host `alpha` with these pods; `runOnce`: its engine starts nothing again and tells of nothing. */
  manifest(pods: Readonly<Record<string, unknown>>, runOnce = true): FleetManifest {
    const made = this.fleet.manifest({ alpha: pods });
    const alpha = made.hosts["alpha"] as FleetManifest["hosts"][string];
    return { ...made, hosts: { alpha: { ...alpha, engine: { kind: "sim", runOnce } } } };
  }

  identity(pod: string, generation = 1) {
    return { owner: "acme", fleet: "shop", host: "alpha", pod, generation };
  }

  /** Begins to watch, and waits until all was looked at once. */
  async watch(manifest: FleetManifest, more: Partial<WatchRequest> = {}): Promise<void> {
    this.#ended = this.run(manifest, more);
    this.#ended.catch(() => undefined);
    await Promise.race([this.told("pass", ({ kind }) => kind === "full"), this.#ended]);
  }

  async run(manifest: FleetManifest, more: Partial<WatchRequest> = {}): Promise<WatchEnd> {
    const manifestDir = this.fleet.dir;
    return await watchFleet({
      connector: this.fleet.connector,
      environment: {},
      options: {},
      appliedBy: "watch@here",
      source: {
        first: { manifest, manifestDir },
        changed: async () => {
          const { next } = this;
          this.next = undefined;
          if (next instanceof Error) throw next;
          return next === undefined ? undefined : { manifest: next, manifestDir };
        },
      },
      drift: "mend",
      once: false,
      times: WATCH_TIMES,
      drain: this.#drain.signal,
      abort: new AbortController().signal,
      onEvent: (event) => this.events.push(event),
      clock: {
        now: () => performance.now() * SPEED,
        sleep: async (ms, signal) =>
          await delay(ms / SPEED, undefined, { signal }).catch(() => undefined),
      },
      ...more,
    });
  }

  /** Waits for an event. */
  async told<T extends WatchEvent["type"]>(
    type: T,
    isWanted: (event: Extract<WatchEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<WatchEvent, { type: T }>> {
    return await this.until(() => this.of(type).find(isWanted));
  }

  of<T extends WatchEvent["type"]>(type: T): readonly Extract<WatchEvent, { type: T }>[] {
    return this.events.filter(
      (event): event is Extract<WatchEvent, { type: T }> => event.type === type,
    );
  }

  async until<T>(ask: () => T | undefined): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const answer = ask();
      if (answer !== undefined) return answer;
      if (Date.now() > deadline)
        throw new Error(`It did not happen: ${JSON.stringify(this.events.slice(-20))}`);
      await delay(5);
    }
  }

  container(pod: string, generation = 1) {
    return this.fleet.machine().read((state) => {
      const found = Object.values(state.pods).find(
        ({ identity }) => identity.pod === pod && identity.generation === generation,
      );
      return structuredClone(found?.containers["main"]);
    });
  }

  async stop(): Promise<WatchEnd> {
    this.#drain.abort();
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#drain.abort();
    await this.#ended.catch(() => undefined);
    this.fleet[Symbol.dispose]();
  }
}

/** A promise, and what makes it come. */
export function withAnswer() {
  let resolve = (): void => {};
  const promise = new Promise<void>((come) => {
    resolve = come;
  });
  return { promise, resolve };
}
