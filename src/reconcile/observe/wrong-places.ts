import type { HostCallOptions, HostReader, HostSnapshot } from "../../host/index.ts";
import {
  fleetNames,
  hostDirectories,
  hostLayout,
  RUN_DIRECTORIES,
  STATE_DIRECTORIES,
  STATE_FILES,
} from "../../model/index.ts";
import type { HostObservation } from "../../plan/index.ts";
import type { ObserveHostRequest } from "./observe-request.ts";

type Place = NonNullable<HostObservation["wrongPlaces"]>[number];

/**
 * Directories that an apply makes, and those above them: none can be made where a link leads nowhere.
 * A volume's link at a former name of the fleet may.
 */
export function wantedLinks(request: ObserveHostRequest): readonly string[] {
  return placesOf(request, [request.manifest.name]).directories;
}

/** What to look for to tell whether the places that an apply writes to are of the right kind. */
export function wantedPlaces(request: ObserveHostRequest): readonly string[] {
  const { directories, files } = placesOf(request);
  // only of a directory there is an entry `.`
  return [...directories.flatMap((path) => [path, within(path)]), ...files.map(within)];
}

/** Files and dangling links where a directory has to be, and directories where a file has to be. */
export async function wrongPlaces(
  host: HostReader,
  snapshot: HostSnapshot,
  request: ObserveHostRequest,
  options: HostCallOptions,
): Promise<readonly Place[]> {
  const { existing } = snapshot;
  const { directories, files } = placesOf(request);
  const unread = [...snapshot.files].flatMap(([path, text]) =>
    typeof text === "string" ? [] : [path],
  );
  const among =
    unread.length === 0
      ? new Set<string>()
      : (await host.snapshot({ exist: unread.map(within) }, options)).existing;
  return [
    ...directories
      .filter((path) => existing.has(path) && !existing.has(within(path)))
      .map((path): Place => ({ path, wanted: "directory" })),
    ...directories
      .filter((path) => snapshot.dangling.has(path))
      .map((path): Place => ({ path, wanted: "directory", isDangling: true })),
    ...[...files, ...unread]
      .filter((path) => existing.has(within(path)) || among.has(within(path)))
      .map((path): Place => ({ path, wanted: "file" })),
  ];
}

function placesOf(
  request: ObserveHostRequest,
  fleets: readonly string[] = fleetNames(request.manifest),
): {
  readonly directories: readonly string[];
  readonly files: readonly string[];
} {
  const { manifest, spec } = request;
  const places = hostDirectories(spec);
  const layouts = fleets.map((fleet) => hostLayout(places, manifest.id, fleet));
  const volumes = Object.values(spec.pods ?? {}).flatMap((pod) =>
    Object.values(pod.volumes ?? {}).flatMap((volume) =>
      volume.kind === "named" ? [volume.name] : [],
    ),
  );
  const lowest = [
    ...layouts.flatMap((layout) => [
      ...[layout.volumesDir, layout.filesDir, layout.historyDir, layout.rolloutsDir],
      ...[layout.secretsDir, layout.watchLockDir],
      ...volumes.map((volume) => layout.volumeDir(volume)),
    ]),
    ...STATE_DIRECTORIES.map((name) => `${places.stateDir}/${name}`),
    ...RUN_DIRECTORIES.map((name) => `${places.runDir}/${name}`),
  ];
  return {
    directories: [...new Set(lowest.flatMap(wayTo))],
    files: STATE_FILES.map((name) => `${places.stateDir}/${name}`),
  };
}

/** A directory and those above it but the root, from above. */
function wayTo(path: string): readonly string[] {
  const parts = path.split("/").slice(1);
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join("/")}`);
}

function within(path: string): string {
  return `${path}/.`;
}
