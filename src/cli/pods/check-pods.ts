import { StowageError } from "../../errors/index.ts";
import type { FleetManifest } from "../../model/index.ts";
import { didYouMean } from "../text/suggest.ts";
import { isMeant, mayBeOn, type PodName, podNameText } from "./pod-names.ts";

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
    readonly wanted: Iterable<PodName>;
    readonly there: readonly { readonly host: string; readonly pod: string }[];
  },
): void {
  const declared = Object.entries(manifest.hosts).flatMap(([host, { pods }]) =>
    Object.keys(pods ?? {}).map((pod) => ({ host, pod })),
  );
  const all = [...declared, ...there];
  for (const name of wanted) {
    if (all.some((each) => isMeant(name, each))) continue;
    const where = name.host === undefined ? "" : ` on ${name.host}`;
    const ofHost = all.filter(({ host }) => mayBeOn(name, host));
    const known = [...new Set(ofHost.map(({ pod }) => pod))];
    const has = `it has ${known.join(", ") || "no pods"}${where}`;
    throw new StowageError(
      `Cannot ${doing} pod "${podNameText(name)}": fleet "${manifest.name}" neither declares nor runs it${where}; ${didYouMean(name.pod, known, has)}`,
      { code: "not_found" },
    );
  }
}
