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

/** The hosts that a run has opened; each is locked before anything of it is looked at. */
export class LockedHosts implements AsyncDisposable {
  readonly #request: LockedHostsRequest;
  readonly #locks: LockSession = new Map();
  readonly #hosts = new Map<string, OpenHost>();

  constructor(request: LockedHostsRequest) {
    this.#request = request;
  }

  get(name: string): OpenHost | undefined {
    return this.#hosts.get(name);
  }

  /**
   * Opens a host and takes its lock.
   *
   * @throws StowageError `aborted` naming the holder when the lock is not free in time
   */
  async open(name: string, spec: HostSpec): Promise<OpenHost> {
    const { connector, owner, lockTimeoutMs, lockLifeMs, signal, onEvent } = this.#request;
    const access = await connector.open(name, spec, signal);
    try {
      // an engine that does not answer is found before a lock is made for nothing
      await access.engine.info(signal === undefined ? {} : { signal });
      const lock = await acquireHostLock({
        host: access.host,
        name,
        lockDir: hostLayout(hostDirectories(spec), "", "").lockDir,
        owner: `${owner} (pid ${process.pid})`,
        timeoutMs: lockTimeoutMs,
        session: this.#locks,
        lifeMs: lockLifeMs,
        signal,
        onWait: (holder) => onEvent?.({ type: "lock-waiting", host: name, holder }),
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
    } catch (error) {
      await access[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Gives all locks back, and then closes all hosts: a shared lock goes over the first one's. */
  async [Symbol.asyncDispose](): Promise<void> {
    const hosts = [...this.#hosts.values()];
    this.#hosts.clear();
    // one that cannot be given back ends by itself when its time has run out
    await Promise.allSettled(hosts.map(({ lock }) => lock[Symbol.asyncDispose]()));
    await Promise.allSettled(hosts.map((host) => host[Symbol.asyncDispose]()));
  }
}
