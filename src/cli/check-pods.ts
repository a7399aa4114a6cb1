import { StowageError } from "../errors/index.ts";
import type { FleetManifest } from "../model/index.ts";
import { didYouMean } from "./text/suggest.ts";

/**
 * Refuses a pod that is neither declared nor there: what is said of it would be empty, as if nothing were to be done
 * or nothing ran.
 *
 * @param doing what was to be done with the pods, such as `plan`
 */
export function checkPods(
  manifest: FleetManifest,
  {
    doing,
    wanted,
    there,
  }: {
    readonly doing: string;
    readonly wanted: Iterable<string>;
    readonly there: readonly { readonly pod: string }[];
  },
): void {
  const declared = Object.values(manifest.hosts).flatMap(({ pods }) => Object.keys(pods ?? {}));
  const known = [...new Set([...declared, ...there.map(({ pod }) => pod)])];
  for (const name of wanted) {
    if (known.includes(name)) continue;
    throw new StowageError(
      `Cannot ${doing} pod "${name}": fleet "${manifest.name}" neither declares nor runs it; ${didYouMean(name, known, `it has ${known.join(", ") || "no pods"}`)}`,
      { code: "not_found" },
    );
  }
}
