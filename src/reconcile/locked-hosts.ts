import { setTimeout as sleep } from "node:timers/promises";
import { StowageError } from "../errors/index.ts";
import { anySignal } from "../internal/index.ts";
import { type HostSpec, hostDirectories, hostLayout } from "../model/index.ts";
import type { Connector, HostAccess } from "./connector.ts";
import type { ApplyEvent } from "./execute/events.ts";
import type { HostLock } from "./lock/held-lock.ts";
import { acquireHostLock, type LockSession } from "./lock/host-lock.ts";

/** How hosts are opened and locked. */
export interface LockedHostsRequest {
  readonly connector: Connector;
  /** Who locks, for people. */
  readonly owner: string;
  readonly lockTimeoutMs: number;
  readonly lockLifeMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: ApplyEvent) => void) | undefined;
}

/** A host that is open and locked. */
export interface OpenHost extends HostAccess {
  readonly lock: HostLock;
}

/** A host whose lock is somebody else's. */
interface TakenHost {
  readonly name: string;
  readonly spec: HostSpec;
  readonly error: StowageError;
}

/** How long runs that met each other try again, if they are not to wait at all: one of them is to go on. */
const MEETING_MS = 1_000;
/** The longest pause before hosts that others have as well are tried again. */
const BACK_OFF_MAX_MS = 2_000;
const BACK_OFF_MS = 100;

/** The hosts that a run has opened; each is locked before anything of it is read. */
export class LockedHosts implements AsyncDisposable {
  readonly #request: LockedHostsRequest;
  readonly #locks: LockSession = new Map();
  readonly #opened = new Map<string, HostAccess>();
  readonly #hosts = new Map<string, OpenHost>();
  readonly #leaving: Promise<void>[] = [];
  /** Those whose holder was reported. */
  readonly #told = new Set<string>();
  #attempt = new AbortController();
  /** What ends the attempt. */
  #looking: AbortSignal | undefined;
  #taken: TakenHost | undefined;

  constructor(request: LockedHostsRequest) {
    this.#request = request;
  }

  get(name: string): OpenHost | undefined {
    return this.#hosts.get(name);
  }

  /**
   * Does what opens the hosts, again until none of their locks is another's. Nobody waits for a lock while they have
   * one, as its holder may be waiting for just that: all are given back before, and whatever was seen
   * under them counts no more. Who had some may have met another that began in the same moment and gives
   * its own back as well: that is waited for, even with no time to wait.
   *
   * @throws StowageError `aborted` naming the holder when a lock is not free in time
   */
  async gather<T>(look: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, lockTimeoutMs } = this.#request;
    let deadline = performance.now() + lockTimeoutMs;
    let met = false;
    for (let tries = 0; ; tries += 1) {
      this.#attempt = new AbortController();
      this.#taken = undefined;
      const stops = [this.#attempt.signal, ...(signal === undefined ? [] : [signal])];
      this.#looking = anySignal(stops);
      try {
        return await look(this.#looking);
      } catch (error) {
        signal?.throwIfAborted();
        const taken: TakenHost | undefined = this.#taken;
        if (taken === undefined) throw error;
        if (!met && this.#hosts.size > 0) {
          met = true;
          deadline = Math.max(deadline, performance.now() + MEETING_MS);
        }
        await this.#giveBack();
        await this.#waitFor(taken, deadline, tries);
      }
    }
  }

  /**
   * Opens a host and takes its lock, which is not waited for.
   *
   * @throws StowageError `aborted` naming the holder when the lock is not free
   */
  async open(name: string, spec: HostSpec): Promise<OpenHost> {
    const open = this.#hosts.get(name);
    if (open !== undefined) return open;
    try {
      return await this.#lock(name, spec, 0, this.#looking);
    } catch (error) {
      if (StowageError.is(error, "aborted")) {
        this.#taken ??= { name, spec, error };
        this.#attempt.abort(error);
      }
      throw error;
    }
  }

  /**
   * Begins to give back the locks of all other hosts, and to close the ways to them; that is waited for at the end. Who works
   * on some hosts holds up nobody on the others.
   */
  keepOnly(names: ReadonlySet<string>): void {
    const users = new Map<HostLock, string[]>();
    for (const [name, { lock }] of this.#hosts) {
      if (names.has(name)) continue;
      const others = users.get(lock);
      if (others === undefined) users.set(lock, [name]);
      else others.push(name);
    }
    for (const name of [...users.values()].flat()) this.#hosts.delete(name);
    const kept = new Set([...this.#hosts.values()].map(({ lock }) => lock));
    for (const [lock, hosts] of users) {
      const locks = hosts.map(() => lock);
      // names of one machine share a lock, which goes over the first one's way
      const isShared = kept.has(lock);
      const ways = isShared ? [] : hosts.flatMap((name) => this.#opened.get(name) ?? []);
      if (!isShared) for (const name of hosts) this.#opened.delete(name);
      this.#leaving.push(leave(locks, ways));
    }
  }

  /** Gives all locks back, and then closes all hosts: a shared lock goes over the first one's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#leaving);
    await this.#giveBack();
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.allSettled(opened.map((host) => host[Symbol.asyncDispose]()));
  }

  async #giveBack(): Promise<void> {
    const hosts = [...this.#hosts.values()];
    this.#hosts.clear();
    await leave(
      hosts.map(({ lock }) => lock),
      [],
    );
  }

  /** Has the lock of one host, and no other, in its turn. */
  async #waitFor({ name, spec, error }: TakenHost, deadline: number, tries: number): Promise<void> {
    const { signal } = this.#request;
    const leftMs = () => deadline - performance.now();
    if (leftMs() <= 0) throw error;
    // two that met do not meet again at the same pace
    const backOffMs = Math.random() * Math.min(BACK_OFF_MS * 2 ** tries, BACK_OFF_MAX_MS);
    try {
      await sleep(Math.min(backOffMs, leftMs()), undefined, signal === undefined ? {} : { signal });
      await this.#lock(name, spec, Math.max(0, leftMs()), signal);
    } catch (failure) {
      signal?.throwIfAborted();
      // one that is lost meanwhile is for the next look to find
      if (!StowageError.is(failure) || failure.code === "aborted") throw failure;
    }
  }

  async #lock(
    name: string,
    spec: HostSpec,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<OpenHost> {
    const { owner, lockLifeMs, onEvent } = this.#request;
    const access = await this.#access(name, spec);
    const lock = await acquireHostLock({
      host: access.host,
      name,
      lockDir: hostLayout(hostDirectories(spec), "", "").lockDir,
      owner: `${owner} (pid ${process.pid})`,
      timeoutMs,
      session: this.#locks,
      lifeMs: lockLifeMs,
      signal,
      onWait: (holder) => {
        if (this.#request.lockTimeoutMs > 0 && !this.#told.has(name))
          onEvent?.({ type: "lock-waiting", host: name, holder });
        this.#told.add(name);
      },
    });
    const opened: OpenHost = {
      host: access.host,
      engine: access.engine,
      engineAt: (config) => access.engineAt(config),
      lock,
      [Symbol.asyncDispose]: () => access[Symbol.asyncDispose](),
    };
    this.#hosts.set(name, opened);
    return opened;
  }

  /** Opens a host, once. */
  async #access(name: string, spec: HostSpec): Promise<HostAccess> {
    const { connector, signal } = this.#request;
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const access = await connector.open(name, spec, signal);
    try {
      // an engine that does not answer is found before a lock is made for nothing
      await access.engine.info(signal === undefined ? {} : { signal });
    } catch (error) {
      await access[Symbol.asyncDispose]();
      throw error;
    }
    this.#opened.set(name, access);
    return access;
  }
}

/** Gives locks back, and then closes the ways there. A lock that cannot be given back ends by itself. */
async function leave(locks: readonly HostLock[], ways: readonly AsyncDisposable[]): Promise<void> {
  await Promise.allSettled(locks.map((lock) => lock[Symbol.asyncDispose]()));
  await Promise.allSettled(ways.map((way) => way[Symbol.asyncDispose]()));
}
