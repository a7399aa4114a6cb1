import type { HostReader } from "../../host/index.ts";
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
 * The ports that are listened on, with the holder of those that a pod wants and no running pod of the fleet
 * has. Where there is no such port nothing is looked at: the kernel walks all its sockets for it.
 */
export async function takenPorts(
  host: HostReader,
  request: ObserveHostRequest,
  found: Found,
): Promise<readonly TakenPort[]> {
  const own = ownPorts(request, found);
  const wanted = Object.values(request.spec.pods ?? {})
    .flatMap(({ ports }) => ports ?? [])
    .filter((port) => !own.some((each) => isSamePort(each, port)));
  if (wanted.length === 0) return [];
  const options = request.signal === undefined ? {} : { signal: request.signal };
  const snapshot = await host.snapshot({ listening: true }, options);
  const listening = new Map<string, Listening>();
  for (const { protocol, port, inode, address } of snapshot.listening) {
    const taken = { protocol, port, ...(address === undefined ? {} : { hostIp: address }) };
    const key = portKey({ host: port, protocol, hostIp: address });
    if (!listening.has(key)) listening.set(key, { inode, taken });
  }
  const clashes = [...listening.values()].filter(({ taken }) =>
    wanted.some((each) => isSamePort(each, { ...taken, host: taken.port })),
  );
  const inodes = clashes.map(({ inode }) => inode);
  const holders = clashes.length === 0 ? undefined : await host.holders(inodes, options);
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
    .flatMap(({ owner, fleet, pod, generation }) => {
      const reading = found.records.get(`${owner}/${fleet}/${pod}`);
      // without a record it is taken to hold what is declared for it
      if (reading?.kind !== "record") return spec.pods?.[pod]?.ports ?? [];
      const running = reading.record.generations.find((each) => each.generation === generation);
      return (running?.spec ?? spec.pods?.[pod])?.ports ?? [];
    });
}

function isRunning(pod: ObservedPod): boolean {
  return Object.values(pod.containers).some(({ state }) => state === "running");
}
