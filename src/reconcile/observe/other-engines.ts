import { StowageError } from "../../errors/index.ts";
import { settleAll } from "../../internal/index.ts";
import {
  type EngineConfig,
  engineIdentity,
  type PodRecord,
  type RosterHost,
  rosterEngine,
} from "../../model/index.ts";
import type { HostObservation, OtherEngine } from "../../plan/index.ts";
import type { HostReading } from "../connector.ts";

type Files = Pick<HostObservation, "records" | "rosters">;

/** Whose engines are looked for. */
export interface OtherEnginesRequest {
  /** The host's name. */
  readonly name: string;
  /** The declared engine, which is none of them. */
  readonly config: EngineConfig;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Engines, beside the declared one, that a host's own files name: those that generations in records
 * were made in, and those that the roster says the host had.
 */
export function otherEngines(
  { records, rosters }: Files,
  { name, config }: OtherEnginesRequest,
): readonly EngineConfig[] {
  const found = new Map<string, EngineConfig>();
  const add = (engine: EngineConfig): void => {
    const id = engineIdentity(engine);
    if (!found.has(id)) found.set(id, engine);
  };
  for (const reading of rosters.values()) {
    const entry = reading.kind === "roster" ? reading.roster.hosts[name] : undefined;
    if (entry !== undefined) for (const engine of namedEngines(entry, config)) add(engine);
  }
  for (const reading of records.values()) {
    if (reading.kind === "record")
      for (const engine of recordedEngines(reading.record)) add(engine);
  }
  found.delete(engineIdentity(config));
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, engine]) => engine);
}

/** Looks at them; one that is not there any more, or does not answer, says why. */
export async function observeOthers(
  reading: Pick<HostReading, "engineAt">,
  files: Files,
  request: OtherEnginesRequest,
): Promise<readonly OtherEngine[]> {
  const configs = otherEngines(files, request);
  return await settleAll(configs.map((config) => observeOther(reading, config, request.signal)));
}

async function observeOther(
  reading: Pick<HostReading, "engineAt">,
  config: EngineConfig,
  signal: AbortSignal | undefined,
): Promise<OtherEngine> {
  const options = signal === undefined ? {} : { signal };
  try {
    const engine = await reading.engineAt(config);
    const [info, capabilities, observed] = await Promise.all([
      engine.info(options),
      engine.capabilities(options),
      engine.observe(options),
    ]);
    return { kind: "observed", config, info, capabilities, engine: observed };
  } catch (error) {
    signal?.throwIfAborted();
    if (!StowageError.is(error)) throw error;
    return {
      kind: error.code === "not_found" ? "gone" : "silent",
      config,
      reason: error.message,
    };
  }
}

/** Of an old roster only the kind is known: another one than the declared one's is another engine. */
function namedEngines(entry: RosterHost, declared: EngineConfig): readonly EngineConfig[] {
  const isKnown = entry.config !== undefined || entry.engine !== declared.kind;
  return [...(isKnown ? [rosterEngine(entry)] : []), ...(entry.others ?? [])];
}

function recordedEngines({ generations, kept = [] }: PodRecord): readonly EngineConfig[] {
  return [...generations, ...kept].flatMap(({ engine }) => engine ?? []);
}
