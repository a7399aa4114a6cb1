import { StowageError } from "../../errors/index.ts";
import { mapLimited } from "../../internal/index.ts";
import {
  type FleetManifest,
  type HostSpec,
  hostDirectories,
  hostLayout,
} from "../../model/index.ts";
import type { Connector, HostAccess } from "../connector.ts";
import type { HostLock } from "../lock/held-lock.ts";
import { acquireHostLock, type LockSession } from "../lock/host-lock.ts";
import { DEFAULT_PARALLELISM } from "../observe/observe-fleet.ts";

/** A watch may be gone for that long before another one may take its place. */
const LIFE_MS = 60_000;

interface Held {
  readonly access: HostAccess;
  readonly lock: HostLock;
}

interface Missing {
  readonly key: string;
  readonly name: string;
  readonly spec: HostSpec;
}

/** What says that a fleet is watched: one lock a host and fleet, beside the lock that each change takes. */
export class WatchLocks implements AsyncDisposable {
  /** Told when a lock ended by a reboot or a cut: it is to be taken anew. */
  onEnd: () => void = () => undefined;
  readonly #connector: Connector;
  readonly #owner: string;
  readonly #lifeMs: number;
  /** By how a host is declared; those that are one machine have one. */
  readonly #held = new Map<string, Held>();
  /** Hosts that were rebooted or out of reach for so long that their locks ended. */
  readonly #ended = new Set<string>();
  readonly #leaving: Promise<void>[] = [];
  readonly #session: LockSession = new Map();
  readonly #lost = new AbortController();

  constructor(connector: Connector, owner: string, lifeMs = LIFE_MS) {
    this.#connector = connector;
    this.#owner = `${owner} (pid ${process.pid})`;
    this.#lifeMs = lifeMs;
  }

  /** Aborted when somebody else watches by now. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Takes the lock of each host that has none yet, and gives back those of hosts that are no longer declared.
   * One that cannot be reached is left for the next time.
   *
   * @param among the hosts that are tried; absent: all
   * @throws StowageError `aborted` naming who watches the fleet
   */
  async take(
    manifest: FleetManifest,
    signal: AbortSignal,
    among?: ReadonlySet<string>,
  ): Promise<void> {
    const declared = Object.entries(manifest.hosts).map(([name, spec]) => ({
      key: keyOf(name, spec),
      name,
      spec,
    }));
    const missing = declared.filter(
      ({ key, name }) => !this.#held.has(key) && among?.has(name) !== false,
    );
    const ways = new Map<string, HostAccess>();
    try {
      await this.#openAll(missing, ways, signal);
      for (const each of missing) {
        const access = ways.get(each.key);
        ways.delete(each.key);
        if (access !== undefined) await this.#tryOne(manifest, each, access, signal);
      }
    } finally {
      await Promise.allSettled([...ways.values()].map((way) => way[Symbol.asyncDispose]()));
    }
    const keys = new Set(declared.map(({ key }) => key));
    await this.#giveBack([...this.#held.keys()].filter((key) => !keys.has(key)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#giveBack([...this.#held.keys()]);
    await Promise.all(this.#leaving);
  }

  async #giveBack(keys: readonly string[]): Promise<void> {
    const held = new Set(keys.flatMap((key) => this.#held.get(key) ?? []));
    for (const key of keys) this.#held.delete(key);
    for (const each of this.#held.values()) held.delete(each);
    await Promise.allSettled([...held].map(({ lock }) => lock[Symbol.asyncDispose]()));
    await Promise.allSettled([...held].map(({ access }) => access[Symbol.asyncDispose]()));
  }

  /** All at once: hosts that do not answer are waited for together. The locks are taken in their order after it. */
  async #openAll(
    missing: readonly Missing[],
    ways: Map<string, HostAccess>,
    signal: AbortSignal,
  ): Promise<void> {
    await mapLimited(missing, DEFAULT_PARALLELISM, async ({ key, name, spec }) => {
      try {
        ways.set(key, await this.#connector.open(name, spec, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (!StowageError.is(error)) throw error;
      }
    });
  }

  /** @throws StowageError `aborted` naming who watches the fleet */
  async #tryOne(
    manifest: FleetManifest,
    { key, name, spec }: Missing,
    access: HostAccess,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#takeOne(manifest, name, spec, access, signal);
      this.#ended.delete(key);
    } catch (error) {
      signal.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      if (error.code !== "aborted") return;
      // a renewal may have come through whose answer did not
      const isOwn = String(error.context["holder"]).startsWith(`${this.#owner} since `);
      if (isOwn && this.#ended.has(key)) return;
      const watched = isWatched(manifest, name, error);
      // one that was watched from here, and whose lock was taken meanwhile
      if (this.#ended.has(key)) this.#lost.abort(watched);
      throw watched;
    }
  }

  async #takeOne(
    manifest: FleetManifest,
    name: string,
    spec: HostSpec,
    access: HostAccess,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const lock = await acquireHostLock({
        host: access.host,
        name,
        lockDir: hostLayout(hostDirectories(spec), manifest.id, manifest.name).watchLockDir,
        owner: this.#owner,
        timeoutMs: 0,
        session: this.#session,
        lifeMs: this.#lifeMs,
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
      const held = { access, lock };
      this.#held.set(keyOf(name, spec), held);
      lock.signal.addEventListener("abort", () => this.#lose(manifest, name, held), { once: true });
    } catch (error) {
      await access[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** To another watch, which is the end of this one; or by a reboot or a cut, after which the lock is taken anew. */
  #lose(manifest: FleetManifest, name: string, held: Held): void {
    const { reason } = held.lock.signal;
    if (StowageError.is(reason) && reason.context["holder"] !== undefined) {
      this.#lost.abort(isWatched(manifest, name, reason));
      return;
    }
    const keys = [...this.#held].flatMap(([key, each]) => (each === held ? [key] : []));
    for (const key of keys) this.#ended.add(key);
    this.#leaving.push(this.#giveBack(keys));
    this.onEnd();
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
