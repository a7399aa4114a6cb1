import type { HostReader, HostSnapshot } from "../../host/index.ts";
import {
  isSamePort,
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
  const listening = new Map<string, Listening>();
  for (const { protocol, port, inode, address } of snapshot.listening) {
    const taken = { protocol, port, ...(address === undefined ? {} : { hostIp: address }) };
    const key = portKey({ host: port, protocol, hostIp: address });
    if (!listening.has(key)) listening.set(key, { inode, taken });
  }
  const own = ownPorts(request, found);
  const declared = Object.values(request.spec.pods ?? {}).flatMap(({ ports }) => ports ?? []);
  const clashes = [...listening.values()].filter(({ taken }) => {
    const port = { ...taken, host: taken.port };
    const isIn = (ports: readonly Port[]) => ports.some((each) => isSamePort(each, port));
    return isIn(declared) && !isIn(own);
  });
  const { signal } = request;
  const holders =
    clashes.length === 0
      ? undefined
      : await host.holders(
          clashes.map(({ inode }) => inode),
          signal === undefined ? {} : { signal },
        );
  return [...listening.values()].map(({ inode, taken }): TakenPort => {
    const holder = holders?.get(inode);
    if (holder === undefined) return taken;
    return { ...taken, holder: `${holder.name} (pid ${holder.pid})`, pid: holder.pid };
  });
}

interface Listening {
  readonly inode: number;
  readonly taken: TakenPort;
}

function ownPorts(request: ObserveHostRequest, found: Found): readonly Port[] {
  const { manifest, spec } = request;
  const fleets = [manifest.name, manifest.formerly];
  return [
    found.engine,
    ...found.others.flatMap((each) => (each.kind === "observed" ? each.engine : [])),
  ]
    .flatMap(({ pods }) => pods)
    .filter((pod) => fleets.includes(pod.fleet) && isRunning(pod))
    .flatMap(({ owner, fleet, pod }) => {
      const reading = found.records.get(`${owner}/${fleet}/${pod}`);
      // without a record it is taken to hold what is declared for it
      if (reading?.kind !== "record") return spec.pods?.[pod]?.ports ?? [];
      return reading.record.generations.flatMap((generation) => generation.spec.ports ?? []);
    });
}

function isRunning(pod: ObservedPod): boolean {
  return Object.values(pod.containers).some(({ state }) => state === "running");
}
