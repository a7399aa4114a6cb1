import type { HostReader, HostSnapshot } from "../../host/index.ts";
import { anySignal } from "../../internal/index.ts";
import { hostDirectories, hostLayout, Name, type RosterReading } from "../../model/index.ts";
import type { HostObservation } from "../../plan/index.ts";
import type { ObserveHostRequest } from "./observe-request.ts";

/** A plan must not wait for a large volume to be measured. */
const MEASURE_MS = 2000;

/**
 * The fleet's volumes on a host, those under a former identity included. Measured are only the ones
 * that no declared pod uses, and only as far as time allows.
 */
export async function findVolumes(
  host: HostReader,
  snapshot: HostSnapshot,
  request: ObserveHostRequest,
  rosters: ReadonlyMap<string, RosterReading>,
): Promise<HostObservation["volumes"]> {
  const { spec, options } = request;
  const listings = {
    ...Object.fromEntries([...snapshot.entries].filter(([path]) => path.endsWith("/.volumes"))),
    ...(await takenOver(host, request, rosters)),
  };
  const paths = new Map<string, string>();
  for (const [directory, names] of Object.entries(listings)) {
    for (const name of names) {
      if (Name.safeParse(name).success && !paths.has(name)) paths.set(name, `${directory}/${name}`);
    }
  }
  const used = new Set(
    options.destroy === true
      ? []
      : Object.values(spec.pods ?? {}).flatMap(({ volumes }) =>
          Object.values(volumes ?? {}).flatMap((volume) =>
            volume.kind === "named" ? [volume.name] : [],
          ),
        ),
  );
  const found = await Promise.all(
    [...paths].map(async ([name, path]) => {
      const sizeBytes = used.has(name) ? undefined : await measure(host, path, request.signal);
      return [name, { path, ...(sizeBytes === undefined ? {} : { sizeBytes }) }] as const;
    }),
  );
  return new Map(found);
}

/** Listings of the volumes of owners that are taken over from; their names are known only now. */
async function takenOver(
  host: HostReader,
  { spec, manifest, options, signal }: ObserveHostRequest,
  rosters: ReadonlyMap<string, RosterReading>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  if (options.takeOver !== true) return {};
  const owners = [...rosters.keys()]
    .map((key) => key.split("/") as [string, string])
    .filter(([owner, fleet]) => fleet === manifest.name && owner !== manifest.id);
  if (owners.length === 0) return {};
  const list = owners.map(
    ([owner, fleet]) => hostLayout(hostDirectories(spec), owner, fleet).volumesDir,
  );
  const { entries } = await host.snapshot({ list }, signal === undefined ? {} : { signal });
  return Object.fromEntries(entries);
}

async function measure(
  host: HostReader,
  path: string,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const limit = AbortSignal.timeout(MEASURE_MS);
  try {
    return await host.diskUsage(path, {
      signal: anySignal(signal === undefined ? [limit] : [limit, signal]),
    });
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
