import type { FleetManifest } from "../fleet.ts";
import { isImageReference, parseImageReference } from "../image-reference.ts";
import { allPods, type Findings, mistake, warning } from "./rule.ts";

/** Rules between the images and the containers that use them. */
export function* imageRules(manifest: FleetManifest): Findings {
  const used = new Set(
    allPods(manifest).flatMap(({ pod }) => Object.values(pod.containers).map(({ image }) => image)),
  );
  for (const [reference, image] of Object.entries(manifest.images ?? {})) {
    if (!isImageReference(reference)) continue;
    const path = `images[${JSON.stringify(reference)}]`;
    const parsed = parseImageReference(reference);
    if (
      image.digest !== undefined &&
      parsed.digest !== undefined &&
      image.digest !== parsed.digest
    ) {
      yield mistake(
        `${path}.digest`,
        `it differs from the digest of the reference (${parsed.digest})`,
        "keep one of the two",
      );
    }
    if (used.has(reference)) continue;
    const other = [...used].find(
      (each) => isImageReference(each) && parseImageReference(each).canonical === parsed.canonical,
    );
    yield warning(
      path,
      "no container uses it",
      other === undefined
        ? "remove it, or use its reference"
        : `containers write it as "${other}": use one form`,
    );
  }
}
