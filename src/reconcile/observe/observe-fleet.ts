import { StowageError } from "../../errors/index.ts";
import { mapLimited } from "../../internal/index.ts";
import type { FleetManifest, HostSpec, KnownRosterHosts } from "../../model/index.ts";
import type { HostObservation, HostUnreachable, PlanOptions } from "../../plan/index.ts";
import type { HostReading } from "../connector.ts";
import { hasRoster, withFormerDirectories } from "./former-directories.ts";
import { findLeavingHosts } from "./leaving-hosts.ts";
import { observeHost } from "./observe-host.ts";
import type { ObserveHostRequest } from "./observe-request.ts";

/** Hosts that are observed at once by default. */
export const DEFAULT_PARALLELISM = 32;

/** A way to a host that stays open as long as its opener wants. */
export type Reach = (
  name: string,
  spec: HostSpec,
) => Promise<Omit<HostReading, typeof Symbol.asyncDispose>>;

/** What to observe and how to get there. */
export interface ObserveFleetRequest {
  readonly manifest: FleetManifest;
  readonly options: PlanOptions;
  readonly reach: Reach;
  /** Told as soon as nothing more is asked of a host: its way may be closed. */
  readonly leave?: ((name: string) => void) | undefined;
  /** Hosts that are known already: they are not looked at. */
  readonly seen?: ReadonlyMap<string, HostObservation | HostUnreachable> | undefined;
  readonly parallelism?: number | undefined;
  /** See {@link ObserveHostRequest.heedLocks}. */
  readonly heedLocks?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ObserveProgress) => void) | undefined;
}

/** How far an observation is. */
export interface ObserveProgress {
  readonly type: "observed";
  readonly host: string;
  /** Why it could not be observed. */
  readonly unreachable?: string;
  readonly ms: number;
}

/** The hosts of a fleet as they are. */
export interface FleetObservation {
  readonly hosts: ReadonlyMap<string, HostObservation | HostUnreachable>;
  readonly leaving: ReadonlyMap<string, HostSpec>;
}

/** Every host of a fleet, and those that only its rosters know. One that cannot be reached says why. */
export async function observeFleet(request: ObserveFleetRequest): Promise<FleetObservation> {
  const { manifest, options } = request;
  const isWanted = (name: string) => options.hosts === undefined || options.hosts.includes(name);
  const declared = Object.entries(manifest.hosts).filter(([name]) => isWanted(name));
  const unknown = new Map<string, Awaited<ReturnType<Reach>>>();
  const reach: Reach = async (name, spec) => {
    const reading = await request.reach(name, spec);
    unknown.set(name, reading);
    return reading;
  };
  const seen = await observeAll({ ...request, reach }, declared, (name, found) => {
    // one that knows nothing of the fleet is asked once more when the others have told
    if (found.kind === "observed" && !hasRoster(found, manifest)) return;
    unknown.delete(name);
    request.leave?.(name);
  });
  const parallelism = request.parallelism ?? DEFAULT_PARALLELISM;
  const hosts = await withFormerDirectories(request, seen, unknown, parallelism);
  for (const name of unknown.keys()) request.leave?.(name);
  const leaving = findLeavingHosts(manifest, hosts);
  checkHostNames(request, leaving);
  const others = [...leaving].filter(
    ([name]) => isWanted(name) && options.forgetHosts?.includes(name) !== true,
  );
  const left = await observeAll(request, others, (name) => request.leave?.(name));
  return { hosts: new Map([...hosts, ...left]), leaving };
}

async function observeAll(
  request: ObserveFleetRequest,
  hosts: readonly (readonly [string, HostSpec])[],
  onSeen: (name: string, found: HostObservation | HostUnreachable) => void,
): Promise<ReadonlyMap<string, HostObservation | HostUnreachable>> {
  const parallelism = request.parallelism ?? DEFAULT_PARALLELISM;
  const knownRosterHosts: KnownRosterHosts = new Map();
  return new Map(
    await mapLimited(hosts, parallelism, async ([name, spec]) => {
      const known = request.seen?.get(name);
      if (known !== undefined) return [name, known] as const;
      const began = performance.now();
      const found = await observeOne({ ...request, knownRosterHosts, name, spec });
      request.onProgress?.({
        type: "observed",
        host: name,
        ...(found.kind === "unreachable" ? { unreachable: found.reason } : {}),
        ms: performance.now() - began,
      });
      onSeen(name, found);
      return [name, found] as const;
    }),
  );
}

async function observeOne(
  request: ObserveFleetRequest & ObserveHostRequest,
): Promise<HostObservation | HostUnreachable> {
  const { name, spec, signal } = request;
  signal?.throwIfAborted();
  try {
    return await observeHost(await request.reach(name, spec), request);
  } catch (error) {
    signal?.throwIfAborted();
    if (!StowageError.is(error) || error.code === "aborted") throw error;
    return { kind: "unreachable", reason: error.message };
  }
}

/** A name that nobody knows would silently plan nothing; leaving hosts are known only after a look. */
function checkHostNames(
  { manifest, options }: ObserveFleetRequest,
  leaving: ReadonlyMap<string, HostSpec>,
): void {
  const unknown = (options.hosts ?? []).filter(
    (name) => !(name in manifest.hosts) && !leaving.has(name),
  );
  if (unknown.length === 0) return;
  throw new StowageError(
    `Cannot plan host "${unknown.join(", ")}": the fleet does not have it; it has ${[...Object.keys(manifest.hosts), ...leaving.keys()].join(", ") || "no hosts"}`,
    { code: "invalid_argument" },
  );
}
