import type { FleetManifest } from "./fleet.ts";
import type { HostSpec } from "./host.ts";
import type { NetworkSpec } from "./network.ts";
import type { PodSpec } from "./pod.ts";

/**
 * The manifest with what the fleet says of a network in each pod that is in it: a pod alone says what
 * it is made of. One without networks is returned as it is.
 */
export function withNetworks(manifest: FleetManifest): FleetManifest {
  const { networks } = manifest;
  if (networks === undefined) return manifest;
  const hosts = Object.entries(manifest.hosts).map(([name, host]) => [
    name,
    ofHost(host, networks),
  ]);
  return { ...manifest, hosts: Object.fromEntries(hosts) };
}

type Networks = NonNullable<FleetManifest["networks"]>;

function ofHost(host: HostSpec, networks: Networks): HostSpec {
  if (host.pods === undefined) return host;
  const pods = Object.entries(host.pods).map(([name, pod]) => [name, ofPod(pod, networks)]);
  return { ...host, pods: Object.fromEntries(pods) };
}

function ofPod(pod: PodSpec, networks: Networks): PodSpec {
  const { network } = pod;
  const declared = network?.name === undefined ? undefined : networks[network.name];
  if (network?.mode !== "bridge" || declared === undefined) return pod;
  return { ...pod, network: { ...declared, ...network } };
}

/** What a bridge pod's network is, beside its name. */
export function networkSpecOf({ network }: PodSpec): NetworkSpec {
  const { mode: _, name: __, cni: ___, ...spec } = network ?? { mode: "none" };
  return spec;
}
