import { StowageError } from "../../errors/index.ts";
import {
  type FleetManifest,
  type HostSpec,
  hostDirectories,
  hostLayout,
} from "../../model/index.ts";
import type { Connector, HostAccess } from "../connector.ts";
import type { HostLock } from "../lock/held-lock.ts";
import { acquireHostLock, type LockSession } from "../lock/host-lock.ts";

/** A watch may be gone for that long before another one may take its place. */
const LIFE_MS = 60_000;

interface Held {
  readonly access: HostAccess;
  readonly lock: HostLock;
}

/** What says that a fleet is watched: one lock a host and fleet, beside the lock that each change takes. */
export class WatchLocks implements AsyncDisposable {
  readonly #connector: Connector;
  readonly #owner: string;
  /** By how a host is declared; those that are one machine have one. */
  readonly #held = new Map<string, Held>();
  readonly #session: LockSession = new Map();
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
   * Takes the lock of each host that has none yet, and gives back those of hosts that are declared no more.
   * One that cannot be reached is left for the next time.
   *
   * @throws StowageError `aborted` naming who watches the fleet
   */
  async take(manifest: FleetManifest, signal: AbortSignal): Promise<void> {
    const declared = new Set<string>();
    for (const [name, spec] of Object.entries(manifest.hosts)) {
      const key = keyOf(name, spec);
      declared.add(key);
      if (this.#held.has(key)) continue;
      try {
        await this.#takeOne(manifest, name, spec, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!StowageError.is(error)) throw error;
        if (error.code === "aborted") throw isWatched(manifest, name, error);
      }
    }
    const gone = [...this.#held.keys()].filter((key) => !declared.has(key));
    await this.#giveBack(gone);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#giveBack([...this.#held.keys()]);
  }

  async #giveBack(keys: readonly string[]): Promise<void> {
    const held = new Set(keys.flatMap((key) => this.#held.get(key) ?? []));
    for (const key of keys) this.#held.delete(key);
    for (const each of this.#held.values()) held.delete(each);
    await Promise.allSettled([...held].map(({ lock }) => lock[Symbol.asyncDispose]()));
    await Promise.allSettled([...held].map(({ access }) => access[Symbol.asyncDispose]()));
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
        session: this.#session,
        lifeMs: LIFE_MS,
        signal,
      });
      const same = [...this.#held.values()].find((each) => each.lock === lock);
      if (same !== undefined) {
        // it is renewed by the way to the host that it was taken on
        await lock[Symbol.asyncDispose]();
        await access[Symbol.asyncDispose]();
        this.#held.set(keyOf(name, spec), same);
        return;
      }
      lock.signal.addEventListener("abort", () => this.#lost.abort(lock.signal.reason), {
        once: true,
      });
      this.#held.set(keyOf(name, spec), { access, lock });
    } catch (error) {
      await access[Symbol.asyncDispose]();
      throw error;
    }
  }
}

function keyOf(name: string, spec: HostSpec): string {
  return JSON.stringify([name, spec.address, spec.engine, hostDirectories(spec)]);
}

function isWatched({ name }: FleetManifest, host: string, error: StowageError): StowageError {
  const { holder = "somebody else" } = error.context;
  return new StowageError(
    `Cannot watch fleet "${name}": ${holder} watches it on host ${host}; end that watch first`,
    { code: "aborted", context: { host }, cause: error },
  );
}
