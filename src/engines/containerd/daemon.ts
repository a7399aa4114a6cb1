import type * as z from "zod";
import type { Host } from "../../host/index.ts";
import type { ContainerdConfig, HostDirectories } from "../../model/index.ts";
import { type ContainerdConnection, connect } from "./client/connection.ts";
import { hostLayerFiles } from "./images/layer-files.ts";
import { DEFAULT_SNAPSHOTTER } from "./images/snapshots.ts";
import { UserResolver } from "./images/user-resolver.ts";
import { FreshPods } from "./pods/fresh-pods.ts";
import { HostFacts } from "./pods/host-facts.ts";
import { ImageDetailsReader } from "./pods/image-details.ts";
import type { PodContext } from "./pods/pod-context.ts";

/** A containerd that answers. */
export interface Daemon {
  readonly version: string;
  readonly context: PodContext;
}

/** What a daemon is reached with. */
export interface DaemonOptions {
  readonly config: z.infer<typeof ContainerdConfig>;
  readonly host: Host;
  readonly directories: HostDirectories;
}

/** Connects when it is first needed, and again after that failed. */
export class LazyDaemon {
  readonly #options: DaemonOptions;
  #connection: Promise<ContainerdConnection> | undefined;
  #closing = new AbortController();
  #daemon: Promise<Daemon> | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** @throws StowageError `not_found` when there is no daemon, `unavailable` when the daemon does not answer, `permission_denied` when it may not be asked */
  async open(): Promise<Daemon> {
    // shared by all calls, so no call's signal may end it
    this.#daemon ??= this.#connect();
    try {
      return await this.#daemon;
    } catch (error) {
      this.#daemon = undefined;
      this.#connection = undefined;
      throw error;
    }
  }

  /** Ends the connection, also one that is being made; a call after that makes a new one. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#closing = new AbortController();
    const connection = this.#connection;
    this.#connection = undefined;
    this.#daemon = undefined;
    // one that could not be made need not be closed
    const opened = await connection?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }

  async #connect(): Promise<Daemon> {
    const { config, host, directories } = this.#options;
    const socketPath = config.socket ?? "/run/containerd/containerd.sock";
    this.#connection = connect({ socketPath, host, signal: this.#closing.signal });
    const connection = await this.#connection;
    const client = connection.inNamespace(config.namespace ?? "stowage");
    const snapshotter = config.snapshotter ?? DEFAULT_SNAPSHOTTER;
    return {
      version: connection.version,
      context: {
        client,
        host,
        directories,
        socketPath,
        major: Number.parseInt(connection.version.replace(/^v/, ""), 10),
        runtime: config.runtime ?? "io.containerd.runc.v2",
        snapshotter,
        users: new UserResolver(client, { files: hostLayerFiles(host), snapshotter }),
        images: new ImageDetailsReader(client),
        facts: new HostFacts(client, host, socketPath),
        names: new Map(),
        fresh: new FreshPods(host, client.namespace),
      },
    };
  }
}
