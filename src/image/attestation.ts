import type { IndexEntry } from "./documents.ts";

const REFERENCE_TYPE = "vnd.docker.reference.type";

/** Whether an entry is a build's attestation, which BuildKit lists among the platforms. */
export function isAttestation({ annotations, platform }: IndexEntry): boolean {
  const isUnknown = platform?.os === "unknown" && platform.architecture === "unknown";
  return isUnknown || annotations?.[REFERENCE_TYPE] === "attestation-manifest";
}
