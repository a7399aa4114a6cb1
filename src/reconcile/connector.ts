import type { Engine, EngineReader } from "../engine/index.ts";
import type { Host, HostReader } from "../host/index.ts";
import type { EngineConfig, HostSpec } from "../model/index.ts";

/** A host and its engine, to be read and written. */
export interface HostAccess extends AsyncDisposable {
  readonly host: Host;
  readonly engine: Engine;
  /** Another engine of the host, over the same connection to it; closed with the rest. */
  engineAt(config: EngineConfig): Promise<Engine>;
}

/** A host and its engine, to be read. */
export interface HostReading extends AsyncDisposable {
  readonly host: HostReader;
  readonly engine: EngineReader;
  /** Another engine of the host, over the same connection to it; closed with the rest. */
  engineAt(config: EngineConfig): Promise<EngineReader>;
}

/**
 * How the composition root reaches hosts; planning gets only readers.
 *
 * Both fail with StowageError `unavailable` or `permission_denied` when there is no way to the host.
 */
export interface Connector {
  read(name: string, spec: HostSpec, signal?: AbortSignal): Promise<HostReading>;
  open(name: string, spec: HostSpec, signal?: AbortSignal): Promise<HostAccess>;
}
