import type { FleetManifest, HostSpec } from "../../model/index.ts";

/** What runs for one host until it is aborted. */
export type HostLoop = (
  manifest: FleetManifest,
  host: string,
  spec: HostSpec,
  signal: AbortSignal,
) => Promise<void>;

interface Running {
  readonly key: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Loops of a fleet's hosts, one each; a host that is declared otherwise gets a new one. */
export class HostLoops {
  readonly #wants: (name: string, spec: HostSpec) => boolean;
  readonly #loop: HostLoop;
  readonly #onCrash: (error: unknown) => void;
  readonly #running = new Map<string, Running>();

  /** @param wants which hosts have one */
  constructor(
    wants: (name: string, spec: HostSpec) => boolean,
    loop: HostLoop,
    onCrash: (error: unknown) => void,
  ) {
    this.#wants = wants;
    this.#loop = loop;
    this.#onCrash = onCrash;
  }

  /** Loops for the hosts of a manifest, and for no others. */
  async follow(manifest: FleetManifest): Promise<void> {
    const hosts = Object.entries(manifest.hosts).filter(([name, spec]) => this.#wants(name, spec));
    const keys = new Map(hosts.map(([name, spec]) => [name, keyOf(manifest, spec)]));
    const gone = [...this.#running].filter(([name, { key }]) => keys.get(name) !== key);
    for (const [name] of gone) this.#running.delete(name);
    await end(gone.map(([, running]) => running));
    for (const [name, spec] of hosts) {
      if (this.#running.has(name)) continue;
      const stop = new AbortController();
      const done = this.#loop(manifest, name, spec, stop.signal).catch(this.#onCrash);
      this.#running.set(name, { key: keyOf(manifest, spec), stop, done });
    }
  }

  async stop(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await end(all);
  }
}

async function end(loops: readonly Running[]): Promise<void> {
  for (const { stop } of loops) stop.abort();
  await Promise.allSettled(loops.map(({ done }) => done));
}

function keyOf({ id, name }: FleetManifest, { address, engine }: HostSpec): string {
  return JSON.stringify([id, name, address, engine]);
}
