import { StowageError } from "../../errors/index.ts";
import { type EngineConfig, hostDirectories, MANIFEST_VERSION } from "../../model/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { HostReading } from "../connector.ts";
import { refuseWatched } from "../lock/refuse-watched.ts";
import { observeFleet } from "../observe/observe-fleet.ts";
import { readRecords } from "../observe/read-files.ts";
import { type PlanFleetRequest, planFleet } from "../plan-fleet.ts";
import { enginesOnHost, type FleetOnHost, fleetsOnHost, type NamedHost } from "./host-fleets.ts";
import { ownFiles } from "./own-files.ts";

/** Something that an uninstall leaves, and why; for people. */
export interface Leaving {
  readonly what: string;
  readonly why: string;
}

/** What an uninstall would take off a host. */
export interface HostSurvey extends NamedHost {
  readonly fleets: readonly FleetOnHost[];
  /** What is done for each of them, in their order. */
  readonly plans: readonly Plan[];
  /** Engines that may hold something. */
  readonly engines: readonly EngineConfig[];
  /** Files of Stowage's beside the fleets' own. */
  readonly files: readonly string[];
  readonly leaves: readonly Leaving[];
}

/** A host that is to be read. */
export type SurveyRequest = Omit<PlanFleetRequest, "manifest" | "options" | "lockFile" | "pins"> &
  NamedHost & {
    /** Volumes are to go as well. */
    readonly volumes: boolean;
  };

/**
 * Looks at what a host holds of Stowage's, of whatever fleet, and plans its end. It can change nothing.
 *
 * @throws StowageError `unavailable` when the host or its engine cannot be asked; `failed_precondition` where a fleet on it
 *   is watched
 */
export async function surveyHost(request: SurveyRequest): Promise<HostSurvey> {
  const { name, spec, own, connector, signal, volumes } = request;
  await using reading = await connector.read(name, spec, signal);
  const traces = await tracesOf(reading, request);
  const fleets = fleetsOnHost(request, traces);
  for (const { owner, fleet } of fleets) {
    const place = { name, spec, owner, fleet };
    await refuseWatched(reading.host, place, `uninstall from host "${name}"`, signal);
  }
  const plans: Plan[] = [];
  for (const { manifest, elsewhere } of fleets) {
    const options = { destroy: true, forgetHosts: elsewhere };
    plans.push((await planFleet({ ...request, manifest, options })).plan);
  }
  const { taken, foreign } = await ownFiles(reading.host, spec, signal);
  return {
    name,
    spec,
    ...(own === undefined ? {} : { own }),
    fleets,
    plans,
    engines: enginesOnHost(request, fleets, traces),
    files: taken,
    leaves: [...(volumes ? [] : keptVolumes(plans)), ...foreign.map(notOurs)],
  };
}

/** A file beside ours. */
export function notOurs(path: string): Leaving {
  return { what: path, why: "Stowage did not make it" };
}

async function tracesOf(
  reading: HostReading,
  { name, spec, signal }: Pick<SurveyRequest, "name" | "spec" | "signal">,
) {
  const { pods: _, ...place } = spec;
  const { hosts } = await observeFleet({
    // of no fleet: only what is there is asked for
    manifest: { version: MANIFEST_VERSION, name, id: "nobody", hosts: { [name]: place } },
    options: { hosts: [name] },
    reach: async () => reading,
    signal,
  });
  const found = hosts.get(name);
  if (found?.kind !== "observed") {
    throw new StowageError(
      `Cannot uninstall from host "${name}": ${found?.reason ?? "it was not reached"}`,
      { code: "unavailable" },
    );
  }
  const { stateDir } = hostDirectories(spec);
  const options = signal === undefined ? {} : { signal };
  const snapshot = await reading.host.snapshot({ files: [`${stateDir}/*/*/*.json`] }, options);
  const { fleets: directories } = await ownFiles(reading.host, spec, signal);
  return { ...found, records: await readRecords(snapshot, spec), directories };
}

function keptVolumes(plans: readonly Plan[]): readonly Leaving[] {
  return plans.flatMap(({ fleet, hosts }) =>
    hosts.flatMap(({ kept }) =>
      kept.map(({ volume, path }) => ({
        what: `volume ${volume} of fleet ${fleet} (${path})`,
        why: "data is only deleted with --volumes",
      })),
    ),
  );
}
