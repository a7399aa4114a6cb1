import { StowageError } from "../../errors/index.ts";
import {
  type FleetManifest,
  type HostSpec,
  hostDirectories,
  hostLayout,
} from "../../model/index.ts";
import type { Connector, HostAccess } from "../connector.ts";
import type { HostLock } from "../lock/held-lock.ts";
import { acquireHostLock } from "../lock/host-lock.ts";

/** A watch may be gone for that long before another one may take its place. */
const LIFE_MS = 60_000;

/** What says that a fleet is watched: one lock a host and fleet, beside the lock that each change takes. */
export class WatchLocks implements AsyncDisposable {
  readonly #connector: Connector;
  readonly #owner: string;
  readonly #held = new Map<string, { readonly access: HostAccess; readonly lock: HostLock }>();
  readonly #lost = new AbortController();

  constructor(connector: Connector, owner: string) {
    this.#connector = connector;
    this.#owner = owner;
  }

  /** Aborted when somebody else watches by now. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Takes the lock of each host that has none yet. One that cannot be reached is left for the next time.
   *
   * @throws StowageError `aborted` naming who watches the fleet
   */
  async take(manifest: FleetManifest, signal: AbortSignal): Promise<void> {
    for (const [name, spec] of Object.entries(manifest.hosts)) {
      if (this.#held.has(name)) continue;
      try {
        await this.#takeOne(manifest, name, spec, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        if (error.code === "aborted") throw isWatched(manifest, name, error);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    await Promise.allSettled(held.map(({ lock }) => lock[Symbol.asyncDispose]()));
    await Promise.allSettled(held.map(({ access }) => access[Symbol.asyncDispose]()));
  }

  async #takeOne(
    manifest: FleetManifest,
    name: string,
    spec: HostSpec,
    signal: AbortSignal,
  ): Promise<void> {
    const access = await this.#connector.open(name, spec, signal);
    try {
      const lock = await acquireHostLock({
        host: access.host,
        name,
        lockDir: hostLayout(hostDirectories(spec), manifest.id, manifest.name).watchLockDir,
        owner: `${this.#owner} (pid ${process.pid})`,
        timeoutMs: 0,
        session: new Map(),
        lifeMs: LIFE_MS,
        signal,
      });
      lock.signal.addEventListener("abort", () => this.#lost.abort(lock.signal.reason), {
        once: true,
      });
      this.#held.set(name, { access, lock });
    } catch (error) {
      await access[Symbol.asyncDispose]();
      throw error;
    }
  }
}

function isWatched({ name }: FleetManifest, host: string, error: StowageError): StowageError {
  const [, holder = "somebody else"] = /: (.+) holds its lock/.exec(error.message) ?? [];
  return new StowageError(
    `Cannot watch fleet "${name}": ${holder} watches it on host ${host}; end that watch first`,
    { code: "aborted", context: { host }, cause: error },
  );
}
