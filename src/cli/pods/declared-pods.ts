import { StowageError } from "../../errors/index.ts";
import type { FleetManifest, PodSpec } from "../../model/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import { didYouMean } from "../text/suggest.ts";
import { isMeant, mayBeOn, type PodName, podNameText } from "./pod-names.ts";
import { selectHosts } from "./select-hosts.ts";

/** A pod that a fleet declares on a host. */
export interface DeclaredPod {
  readonly host: string;
  readonly pod: string;
  readonly spec: PodSpec;
}

/**
 * Pods of the fleet that are meant; all of the hosts of `--host` where none is named.
 *
 * @param doing what is to be done to them, as the words after "Cannot"
 * @throws StowageError `not_found` for a name that no pod has
 */
export function declaredPods(
  manifest: FleetManifest,
  wanted: readonly PodName[],
  args: Arguments,
  doing: string,
): readonly DeclaredPod[] {
  const declared = selectHosts(manifest, args, wanted).flatMap(([host, { pods }]) =>
    Object.entries(pods ?? {}).map(([pod, spec]): DeclaredPod => ({ host, pod, spec })),
  );
  for (const name of wanted) {
    if (declared.some((each) => isMeant(name, each))) continue;
    const there = declared.filter(({ host }) => mayBeOn(name, host));
    const known = [...new Set(there.map(({ pod }) => pod))];
    throw new StowageError(
      `Cannot ${doing} pod "${podNameText(name)}": fleet "${manifest.name}" does not declare it there; ${didYouMean(name.pod, known, `it declares ${known.join(", ") || "no pods"}`)}`,
      { code: "not_found" },
    );
  }
  if (wanted.length === 0) return declared;
  return declared.filter((each) => wanted.some((name) => isMeant(name, each)));
}
