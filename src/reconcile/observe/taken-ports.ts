import type { HostReader, HostSnapshot } from "../../host/index.ts";
import {
  type ObservedEngine,
  type ObservedPod,
  type Port,
  portKey,
  type RecordReading,
  type TakenPort,
} from "../../model/index.ts";
import type { HostObservation } from "../../plan/index.ts";
import type { ObserveHostRequest } from "./observe-request.ts";

/** What was found of the fleet's own pods. */
interface Found {
  readonly engine: ObservedEngine;
  readonly others: HostObservation["others"];
  readonly records: ReadonlyMap<string, RecordReading>;
}

/**
 * The ports that are listened on, with their holder where a pod wants one that no running pod of the
 * fleet had.
 */
export async function takenPorts(
  host: HostReader,
  snapshot: HostSnapshot,
  request: ObserveHostRequest,
  found: Found,
): Promise<readonly TakenPort[]> {
  const inodes = new Map<string, number>();
  for (const { protocol, port, inode } of snapshot.listening) {
    const key = portKey({ host: port, protocol });
    if (!inodes.has(key)) inodes.set(key, inode);
  }
  const own = ownPorts(request, found);
  const clashes = declaredPorts(request).filter((key) => inodes.has(key) && !own.has(key));
  const wanted = clashes.map((key) => inodes.get(key) as number);
  const { signal } = request;
  const holders =
    wanted.length === 0
      ? undefined
      : await host.holders(wanted, signal === undefined ? {} : { signal });
  return [...inodes].map(([key, inode]): TakenPort => {
    const [port, protocol] = key.split("/");
    const taken = { protocol: protocol as TakenPort["protocol"], port: Number(port) };
    const holder = holders?.get(inode);
    if (holder === undefined) return taken;
    return { ...taken, holder: `${holder.name} (pid ${holder.pid})`, pid: holder.pid };
  });
}

function declaredPorts({ spec }: ObserveHostRequest): readonly string[] {
  return Object.values(spec.pods ?? {}).flatMap(({ ports }) => keysOf(ports));
}

function ownPorts(request: ObserveHostRequest, found: Found): ReadonlySet<string> {
  const { manifest, spec } = request;
  const fleets = [manifest.name, manifest.formerly];
  return new Set(
    [found.engine, ...found.others.flatMap((each) => (each.kind === "observed" ? each.engine : []))]
      .flatMap(({ pods }) => pods)
      .filter((pod) => fleets.includes(pod.fleet) && isRunning(pod))
      .flatMap(({ owner, fleet, pod }) => {
        const reading = found.records.get(`${owner}/${fleet}/${pod}`);
        // without a record it is taken to hold what is declared for it
        if (reading?.kind !== "record") return keysOf(spec.pods?.[pod]?.ports);
        return reading.record.generations.flatMap((generation) => keysOf(generation.spec.ports));
      }),
  );
}

function isRunning(pod: ObservedPod): boolean {
  return Object.values(pod.containers).some(({ state }) => state === "running");
}

function keysOf(ports: readonly Port[] | undefined): readonly string[] {
  return (ports ?? []).map(portKey);
}
