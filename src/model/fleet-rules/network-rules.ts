import type { Diagnostic } from "../../errors/index.ts";
import { canonicalText } from "../canonical.ts";
import { closestWord } from "../closest-word.ts";
import type { Json } from "../field.ts";
import type { FleetManifest } from "../fleet.ts";
import { type Network, type NetworkSpec, portKey } from "../network.ts";
import { networkSpecOf } from "../pod-networks.ts";
import { hasNobodys, subnetsOverlap } from "../subnet.ts";
import { allPods, type Findings, mistake, type PodPlace, podsOf, warning } from "./rule.ts";

const LOOPBACK = "127.0.0.0/8";

/** Rules between the fleet's networks, and between them and the pods. */
export function* networkRules(manifest: FleetManifest): Findings {
  const networks = Object.entries(manifest.networks ?? {});
  const pods = allPods(manifest);
  for (const [at, [name, { subnet }]] of networks.entries()) {
    yield* nobodysRule(name, subnet);
    for (const [other, { subnet: second }] of networks.slice(0, at)) {
      if (subnet === undefined || second === undefined || !subnetsOverlap(subnet, second)) continue;
      yield mistake(
        `networks.${name}.subnet`,
        `${subnet} overlaps with network ${other} (${second})`,
        "give each network addresses of its own, or leave subnet out",
      );
    }
    if (pods.some(({ pod }) => pod.network?.name === name)) continue;
    yield warning(
      `networks.${name}`,
      "no pod uses it",
      "set it as the network of a pod, or remove it",
    );
  }
  for (const place of pods) yield* podNetworkRules(place, manifest);
  for (const host of Object.keys(manifest.hosts)) yield* namedTwice(podsOf(manifest, host));
}

function* nobodysRule(name: string, subnet: string | undefined): Findings {
  if (subnet === undefined || !(hasNobodys(subnet) || subnetsOverlap(subnet, LOOPBACK))) return;
  yield mistake(
    `networks.${name}.subnet`,
    `${subnet} is not in a range for pods`,
    "choose one of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, or leave subnet out",
  );
}

/** A network of one host, where a pod answers to its own name and its host name. */
function* namedTwice(pods: readonly PodPlace[]): Findings {
  const key = (network: string | undefined, name: string) => `${network} ${name.toLowerCase()}`;
  const byName = new Map(
    pods.flatMap(({ name, pod: { network } }) =>
      network?.mode === "bridge" ? [[key(network.name, name), name] as const] : [],
    ),
  );
  for (const { name, path, pod } of pods) {
    const { hostname, network } = pod;
    if (hostname === undefined || network?.mode !== "bridge") continue;
    const other = byName.get(key(network.name, hostname));
    if (other === undefined || other === name) continue;
    yield mistake(
      `${path}.hostname`,
      `"${hostname}" is the name of another pod in network "${network.name}": the name would resolve to both`,
      "choose another hostname, or remove it to use the pod's own name",
    );
  }
}

function* podNetworkRules(place: PodPlace, { networks = {} }: FleetManifest): Findings {
  const { network } = place.pod;
  if (network === undefined) return;
  yield* cniRules(place, network);
  if (network.mode !== "bridge") yield* withoutNetworkRules(place, network);
  else if (network.name === undefined || networks[network.name] === undefined)
    yield unknownNetwork(place, network.name, Object.keys(networks));
  else yield* withNetworkRules(place, network.name, networks[network.name] ?? {});
}

function* withoutNetworkRules({ path }: PodPlace, network: Network): Findings {
  for (const field of ["name", "subnet", "internal", "dns"] as const) {
    if (network[field] === undefined) continue;
    yield mistake(
      `${path}.network.${field}`,
      `network mode ${network.mode} has no ${field}`,
      "set mode to bridge, or remove it",
    );
  }
}

function* cniRules({ path }: PodPlace, { mode, cni }: Network): Findings {
  if (mode === "cni" && cni === undefined)
    yield mistake(
      `${path}.network.cni`,
      "mode cni needs the name of a CNI network of the host",
      'set cni: { name: "…" }',
    );
  if (mode !== "cni" && cni !== undefined)
    yield mistake(
      `${path}.network.cni`,
      `network mode ${mode} has no CNI configuration`,
      "set mode to cni, or remove it",
    );
}

function unknownNetwork(
  { path }: PodPlace,
  name: string | undefined,
  names: readonly string[],
): Diagnostic {
  const known =
    names.length === 0
      ? "declare one in networks of the fleet"
      : `the fleet's networks are ${names.join(", ")}`;
  if (name === undefined)
    return mistake(`${path}.network.name`, "mode bridge needs the name of a network", known);
  const meant = closestWord(name, names);
  return mistake(
    `${path}.network.name`,
    `there is no network "${name}"`,
    meant === undefined ? known : `did you mean "${meant}"?`,
  );
}

function* withNetworkRules({ path, pod }: PodPlace, name: string, declared: NetworkSpec): Findings {
  for (const [field, value] of Object.entries(networkSpecOf(pod))) {
    const held = declared[field as keyof NetworkSpec];
    if (canonicalText(value as Json) === canonicalText(held as Json | undefined)) continue;
    yield mistake(
      `${path}.network.${field}`,
      `it differs from network "${name}"`,
      `set it in networks.${name} of the fleet only`,
    );
  }
  if (declared.internal !== true) return;
  for (const port of pod.ports ?? []) {
    yield mistake(
      `${path}.ports[${portKey(port)}]`,
      `network "${name}" is internal: no traffic can enter it`,
      "remove internal, or the port",
    );
  }
}
