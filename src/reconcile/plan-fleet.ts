import type { Registries } from "../image/registry/index.ts";
import type { AppliedImage, FleetManifest } from "../model/index.ts";
import {
  type ImageResolution,
  type Plan,
  type PlanInput,
  type PlanOptions,
  plan,
} from "../plan/index.ts";
import type { Connector } from "./connector.ts";
import type { FleetLock } from "./images/fleet-lock.ts";
import { ImageStore } from "./images/image-store.ts";
import { type RegistryProgress, registryWaits } from "./images/registry-waits.ts";
import { resolveImages } from "./images/resolve-images.ts";
import type { FleetObservation, ObserveProgress } from "./observe/observe-fleet.ts";
import { readFleet } from "./observe/read-fleet.ts";
import { type Environment, SecretValues } from "./secrets/secret-values.ts";
import { compareSecrets, knowsSecrets } from "./secrets/secrets.ts";

/** What to plan and how to get to the hosts. */
export interface PlanFleetRequest {
  readonly manifest: FleetManifest;
  /** Directory that relative paths of layouts and archives begin at. */
  readonly manifestDir: string;
  /** It can only read: no plan has more available. */
  readonly connector: Pick<Connector, "read">;
  readonly lockFile?: FleetLock | undefined;
  /** What references lead to on a host whatever anything else says, by canonical reference. */
  readonly pins?: ReadonlyMap<string, ReadonlyMap<string, AppliedImage>> | undefined;
  /** Where images come from that are not on disk. @defaultValue nowhere */
  readonly registries?: Registries | undefined;
  readonly environment: Environment;
  readonly options: PlanOptions;
  /** Hosts that are asked at once. */
  readonly parallelism?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PlanProgress) => void) | undefined;
}

/** How far a plan is, and what it waits for. */
export type PlanProgress = ObserveProgress | RegistryProgress;

/** A plan and what it was made of. */
export interface PlannedFleet {
  readonly plan: Plan;
  readonly observation: FleetObservation;
}

/**
 * Looks at every host of a fleet and plans what has to be done. Nothing is made, changed or deleted
 * anywhere: there is nothing available that could.
 *
 * @throws DiagnosticsError when something that is declared cannot or must not be done
 */
export async function planFleet(request: PlanFleetRequest): Promise<PlannedFleet> {
  const { manifest, manifestDir } = request;
  const waits = registryWaits(request.onProgress);
  await using store = new ImageStore(manifest, manifestDir, { ...request, ...waits });
  const observation = await readFleet({ ...request, heedLocks: true });
  const secrets = new SecretValues(request);
  return { plan: await planObserved({ ...request, secrets }, observation, store), observation };
}

/** Plans from what was observed. */
export async function planObserved(
  request: Pick<PlanFleetRequest, "manifest" | "lockFile" | "pins" | "options"> & {
    readonly secrets: SecretValues;
  },
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
    secrets: await findSecrets(request, observation),
    options,
  };
  const made = plan(input);
  return warnings.length === 0 ? made : { ...made, warnings: [...made.warnings, ...warnings] };
}

async function findImages(
  {
    manifest,
    lockFile,
    pins,
    options,
  }: Pick<PlanFleetRequest, "manifest" | "lockFile" | "pins" | "options">,
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
      pins: pins?.get(host),
    });
    images.set(host, found.images);
    warnings.push(...found.warnings);
  }
  return { images, warnings };
}

/** Only what a record can be compared with is asked for: a plan runs no command that it does not need. */
async function findSecrets(
  { manifest, options, secrets }: Parameters<typeof planObserved>[0],
  { hosts }: FleetObservation,
): Promise<PlanInput["secrets"]> {
  if (options.destroy === true) return new Map();
  const found = [...hosts].flatMap(([host, observation]) =>
    Object.entries(manifest.hosts[host]?.pods ?? {}).flatMap(([pod, spec]) => {
      if (observation.kind !== "observed" || options.pods?.includes(pod) === false) return [];
      const reading =
        observation.records.get(`${manifest.id}/${manifest.name}/${pod}`) ??
        observation.records.get(`${manifest.id}/${manifest.formerly ?? ""}/${pod}`);
      const record = reading?.kind === "record" ? reading.record : undefined;
      return knowsSecrets(record) ? [{ id: `${host}/${pod}`, spec, record }] : [];
    }),
  );
  await secrets.load(found.map(({ spec }) => spec));
  return new Map(
    found
      .map(({ id, spec, record }) => [id, compareSecrets(spec, record, secrets)] as const)
      .filter(([, comparisons]) => comparisons.size > 0),
  );
}
