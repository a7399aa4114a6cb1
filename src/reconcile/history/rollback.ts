import { StowageError } from "../../errors/index.ts";
import {
  type AppliedImage,
  type FleetManifest,
  generationDigest,
  type NumberedRecord,
  type PodSpec,
  parseImageReference,
  previousRecord,
} from "../../model/index.ts";
import { secretsIn } from "../secrets/declared-secrets.ts";

/** Where a pod goes back to on one host. */
export interface RollbackTarget {
  readonly host: string;
  readonly pod: string;
  /** What is current now, where that is known. */
  readonly from?: NumberedRecord;
  readonly to: NumberedRecord;
}

/**
 * Records as if they had been applied with the service and the rollout that are declared now: pods of one
 * service say one rollout, and records are of different times.
 */
export function inService(
  records: readonly NumberedRecord[],
  declared: PodSpec | undefined,
): readonly NumberedRecord[] {
  const { service, rollout } = declared ?? {};
  const place = {
    ...(service === undefined ? {} : { service }),
    ...(rollout === undefined ? {} : { rollout }),
  };
  return records.map((record) => {
    const { service: _, rollout: __, ...spec } = record.spec;
    return { ...record, spec: { ...spec, ...place } };
  });
}

/**
 * What a pod goes back to: the record of that number, else the newest one that is something else than
 * what is current.
 *
 * @throws StowageError `not_found` or `failed_precondition`, naming what there is
 */
export function rollbackTarget(
  host: string,
  pod: string,
  records: readonly NumberedRecord[],
  number?: number,
): RollbackTarget {
  const from = records.find(({ isCurrent }) => isCurrent);
  const to =
    number === undefined
      ? previousRecord(records)
      : records.find((record) => record.number === number);
  const fail = (why: string, code: "not_found" | "failed_precondition"): never => {
    throw new StowageError(`Cannot roll back pod "${pod}" on host ${host}: ${why}`, { code });
  };
  if (to === undefined) {
    const old = records.filter((record) => !record.isCurrent).map((record) => record.number);
    const has = old.length === 0 ? "it keeps no old record" : `it keeps record ${old.join(", ")}`;
    const what = number === undefined ? "" : `no record ${number} is there; `;
    return fail(`${what}${has}; see stowage history ${pod}`, "not_found");
  }
  if (to.isCurrent) return fail(`record ${to.number} is the current one`, "failed_precondition");
  return { host, pod, to, ...(from === undefined ? {} : { from }) };
}

/**
 * A fleet in which pods are declared as records say, and the images that these had, by host and reference.
 *
 * @throws StowageError `failed_precondition` where pods of one host had different images of one reference
 */
export function rolledBack(
  manifest: FleetManifest,
  targets: readonly RollbackTarget[],
): {
  readonly manifest: FleetManifest;
  readonly pins: ReadonlyMap<string, ReadonlyMap<string, AppliedImage>>;
} {
  const hosts = { ...manifest.hosts };
  const pins = new Map<string, Map<string, AppliedImage>>();
  for (const { host, pod, to } of targets) {
    const spec = hosts[host];
    if (spec === undefined) continue;
    hosts[host] = { ...spec, pods: { ...spec.pods, [pod]: to.spec } };
    const pinned = pins.get(host) ?? new Map<string, AppliedImage>();
    pins.set(host, pinned);
    for (const [container, { image }] of Object.entries(to.spec.containers)) {
      const [reference, applied] = [parseImageReference(image).canonical, to.images[container]];
      if (applied === undefined) continue;
      const other = pinned.get(reference) ?? applied;
      if (other.digest !== applied.digest) throw twoAtOnce(host, pod, reference);
      pinned.set(reference, applied);
    }
  }
  return { manifest: { ...manifest, hosts }, pins };
}

/** A reference leads to one image on a host at a time. */
function twoAtOnce(host: string, pod: string, reference: string): StowageError {
  return new StowageError(
    `Cannot roll back the pods of host ${host} together: ${reference} was a different image for pod "${pod}" than for one before it; roll them back one by one, with stowage rollback POD`,
    { code: "failed_precondition", context: { host, pod, reference } },
  );
}

/** What somebody has to know who goes back to records: each is a sentence. */
export function rollbackWarnings(
  manifest: FleetManifest,
  targets: readonly RollbackTarget[],
): readonly string[] {
  const hasSecrets = targets.some(({ to }) => secretsIn(to.spec).length > 0);
  const isDeclared = targets.every(({ host, pod, to }) => {
    const spec = manifest.hosts[host]?.pods?.[pod];
    const { images } = to;
    return spec !== undefined && generationDigest({ spec, images }) === generationDigest(to);
  });
  return [
    ...(hasSecrets
      ? ["secrets have their current values: their values in that record are not kept"]
      : []),
    ...(isDeclared ? [] : ["the declaration is unchanged, and the next apply goes forward again"]),
  ];
}
