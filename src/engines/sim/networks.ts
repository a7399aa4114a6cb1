import {
  addressOf,
  type ForwardedPort,
  type ObservedNetwork,
  type PodIdentity,
  portKey,
  rangeOf,
} from "../../model/index.ts";
import { podsOfMachine } from "./engine-view.ts";
import { listeningOn, listensInPod } from "./listening.ts";
import type { MachineState, SimPod } from "./machine-state.ts";

/** Where addresses come from when a network says nothing. */
const SUBNET = "10.64.0.0/16";

/** Gives a pod that is in a network of the fleet an address, and with it names and ports. */
export function attachToNetwork(state: MachineState, pod: SimPod, isAside = false): void {
  const { network } = pod.spec;
  if (network?.mode !== "bridge") return;
  const used = new Set(podsOfMachine(state).flatMap((each) => each.network?.address ?? []));
  let next = rangeOf(network.subnet ?? SUBNET).first + 2;
  while (used.has(addressOf(next))) next += 1;
  const others = generationsBeside(state, pod);
  const isHeld = others.some(({ network: other }) => other?.aside === false);
  const aside = isAside ? (pod.network?.aside ?? isHeld) : false;
  pod.network = { address: pod.network?.address ?? addressOf(next), aside };
  if (isAside) return;
  for (const other of others) if (other.network) other.network = { ...other.network, aside: true };
}

/** Takes a pod's address away; its ports lead to another generation of it that has one. */
export function detachFromNetwork(state: MachineState, pod: SimPod): void {
  const had = pod.network;
  delete pod.network;
  if (had?.aside !== false) return;
  const next = generationsBeside(state, pod)
    .filter(({ network }) => network !== undefined)
    .toSorted((a, b) => b.identity.generation - a.identity.generation)[0];
  if (next?.network !== undefined) next.network = { ...next.network, aside: false };
}

/** Other generations of the same pod in the same network. */
function generationsBeside(state: MachineState, pod: SimPod): readonly SimPod[] {
  return peers(state, pod).filter(
    (each) =>
      each.identity.pod === pod.identity.pod &&
      each.identity.generation !== pod.identity.generation,
  );
}

/** Whether somebody listens on a port of another pod, by a name or address that the asking one can use. */
export function reachesPeer(state: MachineState, pod: SimPod, host: string, port: number): boolean {
  const key = portKey({ host: port });
  return peers(state, pod).some(
    (peer) => isCalled(peer, host) && peer.network !== undefined && listensInPod(peer, key),
  );
}

/** Whether somebody answers on a port of the host, or of a pod's own address. */
export function answersAt(state: MachineState, port: number, address: string | undefined): boolean {
  const pods = podsOfMachine(state).filter(
    ({ network }) => network !== undefined && network.detached === undefined,
  );
  if (address !== undefined) {
    const key = portKey({ host: port });
    return pods.some((pod) => pod.network?.address === address && listensInPod(pod, key));
  }
  if (listeningOn(state).has(portKey({ host: port }))) return true;
  return pods.some((pod) =>
    (pod.network?.aside === true ? [] : (pod.spec.ports ?? [])).some(
      ({ host, container = host, protocol = "tcp" }) =>
        host === port && protocol === "tcp" && listensInPod(pod, portKey({ host: container })),
    ),
  );
}

/** What of the host's network is taken by pods of any engine of the machine. */
export function takenNetwork(state: MachineState): ObservedNetwork {
  const forwards = podsOfMachine(state).flatMap(({ identity, network, spec }): ForwardedPort[] =>
    network === undefined
      ? []
      : (spec.ports ?? []).map(({ host, protocol = "tcp", hostIp }) => ({
          protocol,
          port: host,
          holder: `pod "${identity.pod}" of fleet "${identity.fleet}"`,
          pod: `${identity.owner}/${identity.fleet}/${identity.pod}`,
          ...(hostIp === undefined ? {} : { hostIp }),
        })),
  );
  return { forwards, subnets: takenSubnets(state) };
}

/** The subnets that networks of the machine were made with. */
function takenSubnets(state: MachineState): ObservedNetwork["subnets"] {
  const made = podsOfMachine(state).flatMap(({ identity, network, spec }) => {
    const { subnet, name } = spec.network ?? {};
    if (network === undefined || subnet === undefined) return [];
    const holder = `network "${name}" of fleet "${identity.fleet}"`;
    return [{ subnet, holder, network: `${identity.owner}/${identity.fleet}/${name}` }];
  });
  return [...new Map(made.map((each) => [`${each.network} ${each.subnet}`, each])).values()];
}

/** Pods of the same network, the asking one among them. */
function peers(state: MachineState, { identity, spec }: SimPod): readonly SimPod[] {
  if (spec.network?.mode !== "bridge") return [];
  const key = networkKey(identity, spec);
  return podsOfMachine(state).filter((each) => networkKey(each.identity, each.spec) === key);
}

function networkKey({ owner, fleet, host }: PodIdentity, { network }: SimPod["spec"]): string {
  return JSON.stringify([owner, fleet, host, network?.mode, network?.name, network?.subnet]);
}

function isCalled({ identity, spec, network }: SimPod, name: string): boolean {
  return [identity.pod, spec.hostname, network?.address].includes(name);
}
