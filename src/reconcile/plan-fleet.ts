import type { Registries } from "../image/registry/index.ts";
import type { FleetManifest } from "../model/index.ts";
import {
  type ImageResolution,
  type Plan,
  type PlanInput,
  type PlanOptions,
  plan,
  type SecretComparison,
} from "../plan/index.ts";
import type { Connector, HostReading } from "./connector.ts";
import type { FleetLock } from "./images/fleet-lock.ts";
import { ImageStore } from "./images/image-store.ts";
import { resolveImages } from "./images/resolve-images.ts";
import {
  type FleetObservation,
  type ObserveProgress,
  observeFleet,
} from "./observe/observe-fleet.ts";
import { compareSecrets, type Environment } from "./secrets/secrets.ts";

/** What to plan and how to get to the hosts. */
export interface PlanFleetRequest {
  readonly manifest: FleetManifest;
  /** Directory that relative paths of layouts and archives begin at. */
  readonly manifestDir: string;
  /** It can only read: no plan has more at hand. */
  readonly connector: Pick<Connector, "read">;
  readonly lockFile?: FleetLock | undefined;
  /** Where images come from that are not on disk. @defaultValue nowhere */
  readonly registries?: Registries | undefined;
  readonly environment: Environment;
  readonly options: PlanOptions;
  /** Hosts that are asked at once. */
  readonly parallelism?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ObserveProgress) => void) | undefined;
}

/** A plan and what it was made of. */
export interface PlannedFleet {
  readonly plan: Plan;
  readonly observation: FleetObservation;
}

/**
 * Looks at every host of a fleet and plans what has to be done. Nothing is made, changed or deleted
 * anywhere: there is nothing at hand that could.
 *
 * @throws DiagnosticsError when something that is declared cannot or must not be done
 */
export async function planFleet(request: PlanFleetRequest): Promise<PlannedFleet> {
  const { manifest, manifestDir, connector, signal } = request;
  const readings: HostReading[] = [];
  await using store = new ImageStore(manifest, manifestDir, request);
  try {
    const observation = await observeFleet({
      ...request,
      reach: async (name, spec) => {
        const reading = await connector.read(name, spec, signal);
        readings.push(reading);
        return reading;
      },
    });
    return { plan: await planObserved(request, observation, store), observation };
  } finally {
    await Promise.allSettled(readings.map((reading) => reading[Symbol.asyncDispose]()));
  }
}

/** Plans from what was observed. */
export async function planObserved(
  request: Pick<PlanFleetRequest, "manifest" | "lockFile" | "environment" | "options">,
  observation: FleetObservation,
  store: ImageStore,
): Promise<Plan> {
  const { manifest, options } = request;
  const { images, warnings } = await findImages(request, observation, store);
  const input: PlanInput = {
    manifest,
    hosts: observation.hosts,
    leaving: observation.leaving,
    images,
    secrets: findSecrets(request, observation),
    options,
  };
  const made = plan(input);
  return warnings.length === 0 ? made : { ...made, warnings: [...made.warnings, ...warnings] };
}

async function findImages(
  { manifest, lockFile, options }: Pick<PlanFleetRequest, "manifest" | "lockFile" | "options">,
  { hosts }: FleetObservation,
  store: ImageStore,
) {
  const images = new Map<string, ReadonlyMap<string, ImageResolution>>();
  const warnings: string[] = [];
  if (options.destroy === true) return { images, warnings };
  for (const [host, observation] of hosts) {
    if (observation.kind !== "observed") continue;
    const pods = Object.entries(manifest.hosts[host]?.pods ?? {}).filter(
      ([pod]) => options.pods?.includes(pod) ?? true,
    );
    const found = await resolveImages({
      host,
      pods: Object.fromEntries(pods),
      observation,
      store,
      lock: lockFile,
    });
    images.set(host, found.images);
    warnings.push(...found.warnings);
  }
  return { images, warnings };
}

function findSecrets(
  { manifest, environment }: Pick<PlanFleetRequest, "manifest" | "environment">,
  { hosts }: FleetObservation,
): PlanInput["secrets"] {
  const secrets = new Map<string, ReadonlyMap<string, SecretComparison>>();
  for (const [host, found] of hosts) {
    if (found.kind !== "observed") continue;
    for (const [pod, spec] of Object.entries(manifest.hosts[host]?.pods ?? {})) {
      const reading =
        found.records.get(`${manifest.id}/${manifest.name}/${pod}`) ??
        found.records.get(`${manifest.id}/${manifest.formerly ?? ""}/${pod}`);
      const record = reading?.kind === "record" ? reading.record : undefined;
      const comparisons = compareSecrets(spec, record, environment);
      if (comparisons.size > 0) secrets.set(`${host}/${pod}`, comparisons);
    }
  }
  return secrets;
}
