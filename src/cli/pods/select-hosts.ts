import { StowageError } from "../../errors/index.ts";
import type { FleetManifest, HostSpec } from "../../model/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import { didYouMean } from "../text/suggest.ts";
import { type PodName, podNameText } from "./pod-names.ts";

/**
 * The hosts of `--host`, or those that the named pods are on, or all of them.
 *
 * @throws StowageError `not_found` for a name that the fleet does not have; `invalid_argument` for a pod of a host
 * that `--host` leaves out
 */
export function selectHosts(
  manifest: FleetManifest,
  args: Arguments,
  pods: readonly PodName[] = [],
): readonly (readonly [string, HostSpec])[] {
  const wanted = args.list("host");
  const names = Object.keys(manifest.hosts);
  const ofPods = pods.flatMap(({ host }) => host ?? []);
  for (const name of [...(wanted ?? []), ...ofPods]) {
    if (names.includes(name)) continue;
    throw new StowageError(
      `Cannot find host "${name}" in fleet "${manifest.name}": it has ${names.join(", ") || "no hosts"}; ${didYouMean(name, names, "name one of these")}`,
      { code: "not_found" },
    );
  }
  const other = pods.find(({ host }) => host !== undefined && wanted?.includes(host) === false);
  if (other !== undefined)
    throw new StowageError(
      `Cannot use pod "${podNameText(other)}": --host excludes its host; leave --host out, or name the pod alone`,
      { code: "invalid_argument" },
    );
  const only = pods.length > 0 && ofPods.length === pods.length ? ofPods : wanted;
  return Object.entries(manifest.hosts).filter(
    ([name]) => only === undefined || only.includes(name),
  );
}
