import { type Diagnostic, DiagnosticsError } from "../../errors/index.ts";
import type { FleetManifest, PodSpec } from "../../model/index.ts";
import type { HostObservation, HostUnreachable } from "../../plan/index.ts";
import { FLEET_LOCK_VERSION, type FleetLock, platformKey } from "./fleet-lock.ts";
import { ImageStore } from "./image-store.ts";
import { resolveImages } from "./resolve-images.ts";

/** What to lock, from what was observed. */
export interface LockImagesRequest {
  readonly manifest: FleetManifest;
  /** Directory that relative paths of layouts and archives begin at. */
  readonly manifestDir: string;
  readonly hosts: ReadonlyMap<string, HostObservation | HostUnreachable>;
  /** Entries of references and platforms that are not looked at now are kept from it. */
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
  const { manifest, manifestDir, hosts } = request;
  const images: Record<string, FleetLock["images"][string]> = { ...request.existing?.images };
  const fresh = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const report = (path: string, summary: string): void => {
    diagnostics.push({ severity: "error", path, summary });
  };
  await using store = new ImageStore(manifest, manifestDir);
  for (const [host, spec] of Object.entries(manifest.hosts)) {
    const pods: Readonly<Record<string, PodSpec>> = spec.pods ?? {};
    if (Object.keys(pods).length === 0) continue;
    const found = hosts.get(host);
    if (found?.kind !== "observed") {
      report(
        `hosts.${host}`,
        `its platform is not known: ${found?.reason ?? "it was not reached"}`,
      );
      continue;
    }
    const platform = platformKey(found.info.platform);
    const { images: resolutions } = await resolveImages({ host, pods, observation: found, store });
    for (const resolution of new Set(resolutions.values())) {
      if (resolution.kind === "unresolved") {
        report(`hosts.${host}`, resolution.reason);
        continue;
      }
      const { reference, digest, configDigest } = resolution.image;
      const key = `${reference} ${platform}`;
      if ((fresh.get(key) ?? digest) !== digest) {
        report(
          `hosts.${host}`,
          `image ${reference} is ${digest} here and ${fresh.get(key)} on another host`,
        );
        continue;
      }
      fresh.set(key, digest);
      images[reference] = {
        ...images[reference],
        [platform]: { digest, ...(configDigest === undefined ? {} : { configDigest }) },
      };
    }
  }
  if (diagnostics.length > 0)
    throw new DiagnosticsError(`The lock of fleet "${manifest.name}"`, diagnostics);
  return { version: FLEET_LOCK_VERSION, images };
}
