import { type Diagnostic, DiagnosticsError } from "../../errors/index.ts";
import type { Registries } from "../../image/registry/index.ts";
import type { FleetManifest, PodSpec } from "../../model/index.ts";
import type { HostObservation, HostUnreachable, ImageResolution } from "../../plan/index.ts";
import { FLEET_LOCK_VERSION, type FleetLock, platformKey } from "./fleet-lock.ts";
import { ImageStore } from "./image-store.ts";
import { type RegistryProgress, registryWaits } from "./registry-waits.ts";
import { resolveImages } from "./resolve-images.ts";

/** What to lock, from what was observed. */
export interface LockImagesRequest {
  readonly manifest: FleetManifest;
  /** Directory that relative paths of layouts and archives begin at. */
  readonly manifestDir: string;
  readonly hosts: ReadonlyMap<string, HostObservation | HostUnreachable>;
  readonly registries?: Registries | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RegistryProgress) => void) | undefined;
  /** Its entries for references and platforms that are not resolved now are kept. */
  readonly existing?: FleetLock | undefined;
}

/**
 * What every reference of a fleet leads to now, on the platforms of its hosts; an earlier lock is
 * not asked.
 *
 * @throws DiagnosticsError with every reference that leads to nothing, or to different bytes on hosts
 *   of one platform, and every host that cannot be reached
 */
export async function lockImages(request: LockImagesRequest): Promise<FleetLock> {
  const { manifest, manifestDir, existing } = request;
  const draft = new LockDraft({ ...existing?.images });
  await using store = new ImageStore(manifest, manifestDir, {
    ...request,
    ...registryWaits(request.onProgress),
  });
  for (const [host, spec] of Object.entries(manifest.hosts)) {
    if (Object.keys(spec.pods ?? {}).length === 0) continue;
    const found = request.hosts.get(host);
    if (found?.kind !== "observed") {
      draft.refuse(host, `its platform is not known: ${found?.reason ?? "it was not reached"}`);
      continue;
    }
    const pods: Readonly<Record<string, PodSpec>> = spec.pods ?? {};
    const { images } = await resolveImages({ host, pods, observation: found, store });
    const platform = platformKey(found.info.platform);
    for (const resolution of new Set(images.values())) draft.add(host, platform, resolution);
  }
  if (draft.diagnostics.length > 0) {
    throw new DiagnosticsError(`The lock of fleet "${manifest.name}"`, draft.diagnostics);
  }
  return { version: FLEET_LOCK_VERSION, images: draft.images };
}

class LockDraft {
  readonly images: Record<string, FleetLock["images"][string]>;
  readonly diagnostics: Diagnostic[] = [];
  readonly #added = new Map<string, string>();

  constructor(images: Record<string, FleetLock["images"][string]>) {
    this.images = images;
  }

  refuse(host: string, summary: string): void {
    this.diagnostics.push({ severity: "error", path: `hosts.${host}`, summary });
  }

  add(host: string, platform: string, resolution: ImageResolution): void {
    if (resolution.kind === "unresolved") {
      this.refuse(host, resolution.reason);
      return;
    }
    const { reference, digest, configDigest } = resolution.image;
    const key = `${reference} ${platform}`;
    const other = this.#added.get(key) ?? digest;
    if (other !== digest) {
      this.refuse(host, `image ${reference} is ${digest} here and ${other} on another host`);
      return;
    }
    this.#added.set(key, digest);
    this.images[reference] = {
      ...this.images[reference],
      [platform]: { digest, ...(configDigest === undefined ? {} : { configDigest }) },
    };
  }
}
