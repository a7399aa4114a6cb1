import { StowageError } from "../errors/index.ts";
import type { FleetManifest, HostSpec } from "../model/index.ts";
import type { Arguments } from "./arguments.ts";
import { didYouMean } from "./text/suggest.ts";

/**
 * The hosts of `--host`, or all of them.
 *
 * @throws StowageError `not_found` for a name that the fleet does not have
 */
export function selectHosts(
  manifest: FleetManifest,
  args: Arguments,
): readonly (readonly [string, HostSpec])[] {
  const wanted = args.list("host");
  const names = Object.keys(manifest.hosts);
  for (const name of wanted ?? []) {
    if (names.includes(name)) continue;
    throw new StowageError(
      `Cannot find host "${name}" in fleet "${manifest.name}": it has ${names.join(", ") || "no hosts"}; ${didYouMean(name, names, "name one of these")}`,
      { code: "not_found" },
    );
  }
  return Object.entries(manifest.hosts).filter(
    ([name]) => wanted === undefined || wanted.includes(name),
  );
}
