/**
 * Labels on the engine's objects. They carry identity only; what was applied is in the record on
 * the host.
 */
export const LABEL_OWNER = "io.stowage.owner";
export const LABEL_FLEET = "io.stowage.fleet";
export const LABEL_HOST = "io.stowage.host";
export const LABEL_POD = "io.stowage.pod";
export const LABEL_CONTAINER = "io.stowage.container";
export const LABEL_GENERATION = "io.stowage.generation";
/** Digest of the generation's entry in the record. */
export const LABEL_RECORD = "io.stowage.record";
/** On an image that Stowage made the record of. */
export const LABEL_IMAGE = "io.stowage.image";
/** On the same: the platform's manifest and what its name leads to, by their digests. */
export const LABEL_IMAGE_TARGET = "io.stowage.image-target";
/** Beginning of the label that each fleet which uses an image puts on it. */
export const LABEL_IMAGE_FLEET_PREFIX = "io.stowage.fleet.";

/** Label of one fleet on an image; its value is `owner/fleet`. */
export function imageFleetLabel(owner: string, fleet: string): string {
  return `${LABEL_IMAGE_FLEET_PREFIX}${owner}.${fleet}`;
}
