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

/** Where what looks at the host lies. */
const SESSION = "/proc/self/cgroup";

/** What was found of the fleet's own pods. */
interface Found {
  readonly engine: ObservedEngine;
  readonly others: HostObservation["others"];
  readonly records: ReadonlyMap<string, RecordReading>;
}

/**
 * The ports that are listened on, with the holder of those that a pod wants and no running pod of the fleet
 * has. Where there is no such port nothing is read: the kernel walks all its sockets for it.
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
  const pids = [...(holders?.values() ?? [])].map(({ pid }) => pid);
  const pods = pids.length === 0 ? undefined : await podsOfProcesses(host, pids, request, found);
  return [...listening.values()].map(({ inode, taken }): TakenPort => {
    const holder = holders?.get(inode);
    if (holder === undefined) return taken;
    const pod = pods?.get(holder.pid);
    return {
      ...taken,
      holder: `${holder.name} (pid ${holder.pid})`,
      pid: holder.pid,
      ...(pod === undefined ? {} : { pod }),
    };
  });
}

/** The fleet's pods that processes are of: a container's first one, or one in the same cgroup. */
async function podsOfProcesses(
  host: HostReader,
  pids: readonly number[],
  request: ObserveHostRequest,
  found: Found,
): Promise<ReadonlyMap<number, string>> {
  const own = new Map(
    ownPods(request, found).flatMap(({ pod, containers }) =>
      Object.values(containers).flatMap(({ pid }): [number, string][] =>
        pid === undefined ? [] : [[pid, pod]],
      ),
    ),
  );
  const cgroupFile = (pid: number): string => `/proc/${pid}/cgroup`;
  const { files } = await host.snapshot(
    { files: [...[...pids, ...own.keys()].map(cgroupFile), SESSION] },
    request.signal === undefined ? {} : { signal: request.signal },
  );
  const cgroup = (pid: number): string | undefined => {
    const text = files.get(cgroupFile(pid));
    return typeof text === "string" ? text : undefined;
  };
  const byCgroup = new Map([...own].map(([pid, pod]) => [cgroup(pid), pod]));
  // a user's containers may lie where all that the user runs does
  byCgroup.delete(String(files.get(SESSION)));
  return new Map(
    pids.flatMap((pid): [number, string][] => {
      const text = cgroup(pid);
      const pod = own.get(pid) ?? (text === undefined ? undefined : byCgroup.get(text));
      return pod === undefined ? [] : [[pid, pod]];
    }),
  );
}

interface Listening {
  readonly inode: number;
  readonly taken: TakenPort;
}

function ownPorts(request: ObserveHostRequest, found: Found): readonly Port[] {
  const { spec } = request;
  return ownPods(request, found).flatMap(({ owner, fleet, pod, generation }) => {
    const reading = found.records.get(`${owner}/${fleet}/${pod}`);
    // without a record it is taken to hold what is declared for it
    if (reading?.kind !== "record") return spec.pods?.[pod]?.ports ?? [];
    const running = reading.record.generations.find((each) => each.generation === generation);
    return (running?.spec ?? spec.pods?.[pod])?.ports ?? [];
  });
}

function ownPods({ manifest }: ObserveHostRequest, found: Found): readonly ObservedPod[] {
  const fleets = [manifest.name, manifest.formerly];
  return [
    found.engine,
    ...found.others.flatMap((each) => (each.kind === "observed" ? each.engine : [])),
  ]
    .flatMap(({ pods }) => pods)
    .filter((pod) => fleets.includes(pod.fleet) && isRunning(pod));
}

function isRunning(pod: ObservedPod): boolean {
  return Object.values(pod.containers).some(({ state }) => state === "running");
}
