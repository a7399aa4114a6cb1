import type { EngineReader } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import {
  type CapabilityTable,
  EngineConfig,
  type EngineInfo,
  type EngineKind,
  type FleetManifest,
  type HostSpec,
  isSameEngine,
} from "../../model/index.ts";
import type { Connector, HostReading } from "../../reconcile/index.ts";

/** A host of a fleet and the engine that it is supposed to have. */
export interface Supposition {
  readonly host: string;
  readonly kind: EngineKind;
  /** What engines of the kind can do. */
  readonly table: CapabilityTable;
}

/** The manifest as if a host had another engine, with all its defaults. */
export function supposedManifest(
  manifest: FleetManifest,
  { host, kind }: Pick<Supposition, "host" | "kind">,
): FleetManifest {
  const spec = manifest.hosts[host] as HostSpec;
  const engine = spec.engine.kind === kind ? spec.engine : EngineConfig.parse({ kind });
  return { ...manifest, hosts: { ...manifest.hosts, [host]: { ...spec, engine } } };
}

/**
 * A way to hosts for planning, on which one host has the engine that it is supposed to have: its own
 * where it is there, else one that is new and empty.
 *
 * @param declared the host as the manifest declares it
 */
export function supposingConnector(
  connector: Connector,
  declared: HostSpec,
  supposition: Supposition,
): Pick<Connector, "read"> {
  const read: Connector["read"] = async (name, spec, signal) => {
    if (name !== supposition.host || isSameEngine(spec.engine, declared.engine)) {
      return await connector.read(name, spec, signal);
    }
    const real = await readReal(connector, name, spec, declared, signal);
    if (real !== undefined) return real;
    const reading = await connector.read(name, declared, signal);
    return {
      host: reading.host,
      engine: emptyEngine(supposition, reading.engine),
      engineAt: (config) => reading.engineAt(config),
      [Symbol.asyncDispose]: () => reading[Symbol.asyncDispose](),
    };
  };
  return { read };
}

async function readReal(
  connector: Connector,
  name: string,
  spec: HostSpec,
  declared: HostSpec,
  signal: AbortSignal | undefined,
): Promise<HostReading | undefined> {
  // a simulated host is another machine than a real one
  if ((spec.engine.kind === "sim") !== (declared.engine.kind === "sim")) return undefined;
  const reading = await connector.read(name, spec, signal);
  try {
    await reading.engine.info(signal === undefined ? {} : { signal });
    return reading;
  } catch (error) {
    await reading[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    if (!StowageError.is(error)) throw error;
    return undefined;
  }
}

/** An engine that is not on the host, as it would be if it were. */
function emptyEngine({ kind, table }: Supposition, beside: EngineReader): EngineReader {
  return {
    kind,
    info: async (options): Promise<EngineInfo> => {
      const { platform } = await beside.info(options);
      return { kind, version: "(not on the host)", platform };
    },
    capabilities: async () => table,
    observe: async () => ({ pods: [], images: [], leftovers: [] }),
    events: () => undefined,
    // biome-ignore lint/correctness/useYield: there is nothing in it
    logs: async function* () {
      throw new StowageError(`Cannot read output of pods in ${kind}: it is not on the host`, {
        code: "not_found",
      });
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
