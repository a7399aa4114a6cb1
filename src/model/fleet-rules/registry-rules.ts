import type { FleetManifest } from "../fleet.ts";
import { isImageReference, parseImageReference } from "../image-reference.ts";
import { allPods, type Findings, mistake, warning } from "./rule.ts";

/** Rules of how registries are reached. */
export function* registryRules(manifest: FleetManifest): Findings {
  const registries = Object.entries(manifest.registries ?? {});
  const asked = new Set(registries.flatMap(([, { mirrors = [] }]) => mirrors));
  for (const { pod } of allPods(manifest))
    for (const { image } of Object.values(pod.containers))
      if (isImageReference(image)) asked.add(parseImageReference(image).domain);
  for (const [domain, { mirrors = [] }] of registries) {
    const path = `registries[${JSON.stringify(domain)}]`;
    if (mirrors.includes(domain))
      yield mistake(
        `${path}.mirrors`,
        "it is its own mirror",
        "remove it: it is always asked last",
      );
    if (new Set(mirrors).size < mirrors.length)
      yield mistake(`${path}.mirrors`, "it names one mirror twice", "name it once");
    if (!asked.has(domain))
      yield warning(
        path,
        "no image comes from it",
        "remove it, or write it as the images do (docker.io for those without a registry)",
      );
  }
}
