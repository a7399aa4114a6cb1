import type { CallOptions, ObserveOptions } from "../engine/index.ts";
import type { Host } from "../host/index.ts";
import {
  addressOf,
  type ForwardedPort,
  OBJECT_PREFIX,
  type ObservedEngine,
  type ObservedLeftover,
  type ObservedNetwork,
  type ObservedPod,
  portKey,
  rangeOf,
} from "../model/index.ts";
import { gatewayOf, prefixOf } from "./addresses.ts";
import { NetworkFile, PodFile, readFile } from "./files.ts";
import { forwardRules, type Look, readLook, subnetsOf } from "./look.ts";
import { forgetBridge } from "./looked.ts";
import { MOUNTS, mountedPaths } from "./mounts.ts";
import { type NetworkPlaces, podNameOf } from "./places.ts";
import { chainsOf, forwardOf, isComplete } from "./rules.ts";
import { runScript } from "./run-script.ts";
import { LOOK } from "./scripts.ts";
import { hostsText } from "./texts.ts";

/** Where to look, for which engine. */
export interface ObserveParts {
  readonly host: Host;
  readonly places: NetworkPlaces;
  readonly engine: string;
}

interface Network {
  readonly bridge: string;
  readonly network: NetworkFile;
  readonly pods: readonly PodFile[];
  /** Why it is not as all its pods need it; the same for each of them. */
  readonly problem: string | undefined;
}

interface Seen {
  readonly networks: readonly Network[];
  /** Bridges of unknown networks, and the generations that are in them. */
  readonly unknown: readonly Pick<Network, "bridge" | "pods">[];
  /** Names of generations that are only known by half a file of a killed writer. */
  readonly unfinished: readonly string[];
  readonly look: Look;
  readonly mounted: ReadonlySet<string>;
}

/**
 * Adds to what an engine reports how its pods' networks are: by one reading of files and one program,
 * whatever their number.
 */
export async function observeNetworks(
  parts: ObserveParts,
  observed: ObservedEngine,
  options: ObserveOptions,
): Promise<ObservedEngine> {
  const { engine } = parts;
  if (options.podsOnly === true) return await withAddresses(parts, observed, options);
  const seen = await lookAt(parts, options);
  const byPod = new Map(
    seen.networks.flatMap((network) =>
      network.pods.map((file) => [podNameOf(file.identity), { network, file }] as const),
    ),
  );
  const pods = observed.pods.map((pod): ObservedPod => {
    const found = byPod.get(podNameOf(pod));
    if (found === undefined || found.file.engine !== engine) return pod;
    return withNetwork(parts, seen, pod, found);
  });
  const known = new Set(observed.pods.map(podNameOf));
  const leftovers = leftoversOf(seen, engine, known);
  const names = new Set(observed.leftovers.map(({ name }) => name));
  return {
    ...observed,
    pods,
    leftovers: [...observed.leftovers, ...leftovers.filter(({ name }) => !names.has(name))],
    ...(options.network === true ? { network: takenOf(seen) } : {}),
  };
}

/** The addresses alone, as files say: while pods are waited for nobody asks whether they are true. */
async function withAddresses(
  { host, places, engine }: ObserveParts,
  observed: ObservedEngine,
  options: CallOptions,
): Promise<ObservedEngine> {
  const { files } = await host.snapshot(
    { files: [places.podFile("*", "*")] },
    callOptions(options),
  );
  const byPod = new Map(
    [...files.values()].flatMap((text) => {
      const file = readFile(PodFile, text);
      return file === undefined || file.engine !== engine ? [] : [[podNameOf(file.identity), file]];
    }),
  );
  const pods = observed.pods.map((pod) => {
    const address = byPod.get(podNameOf(pod))?.address;
    return address === undefined ? pod : { ...pod, address };
  });
  return { ...observed, pods };
}

async function lookAt({ host, places }: ObserveParts, options: ObserveOptions): Promise<Seen> {
  const mayLack = options.portsOnly === true ? ["rules"] : [];
  const [snapshot, text] = await Promise.all([
    host.snapshot(
      {
        files: [
          places.networkFile("*"),
          places.podFile("*", "*"),
          places.unfinishedPodFile("*", "*"),
          places.hostsFile("*"),
          MOUNTS,
        ],
        list: [places.root],
      },
      callOptions(options),
    ),
    runScript(host, LOOK, mayLack, { doing: "read the host's network" }),
  ]);
  options.signal?.throwIfAborted();
  const look = readLook(text);
  const networks: Network[] = [];
  const unknown: Pick<Network, "bridge" | "pods">[] = [];
  const unfinished: string[] = [];
  for (const bridge of snapshot.entries.get(places.root) ?? []) {
    if (!bridge.startsWith(OBJECT_PREFIX)) continue;
    const network = readFile(NetworkFile, snapshot.files.get(places.networkFile(bridge)));
    const hosts = snapshot.files.get(places.hostsFile(bridge));
    const within = [...snapshot.files].filter(([path]) =>
      path.startsWith(`${places.podsDirectory(bridge)}/`),
    );
    const pods = within.flatMap(([path, each]) =>
      places.unfinishedPod(path) === undefined ? (readFile(PodFile, each) ?? []) : [],
    );
    const half = within.flatMap(([path]) => places.unfinishedPod(path) ?? []);
    unfinished.push(...half.filter((name) => !snapshot.files.has(places.podFile(bridge, name))));
    if (network === undefined) unknown.push({ bridge, pods });
    else
      networks.push({
        bridge,
        network,
        pods,
        problem: problemOf(bridge, network, pods, look, hosts),
      });
  }
  return {
    networks,
    unknown,
    unfinished,
    look,
    mounted: mountedPaths(snapshot.files.get(MOUNTS)),
  };
}

function withNetwork(
  parts: ObserveParts,
  seen: Seen,
  pod: ObservedPod,
  { network, file }: { readonly network: Network; readonly file: PodFile },
): ObservedPod {
  const { address } = file;
  const reported = {
    ...pod.reported,
    "network.mode": "bridge",
    "network.name": network.network.name,
  };
  const runs = Object.values(pod.containers).some(({ state }) => state === "running");
  const detached = runs ? whyDetached(parts, seen, network, file) : undefined;
  if (detached !== undefined) forgetBridge(parts, network.bridge);
  return {
    ...pod,
    reported,
    ...(address === undefined ? {} : { address }),
    ...(detached === undefined ? {} : { detached }),
  };
}

/** What of a running pod's network is not as it was made, the most telling first. */
function whyDetached(
  { places }: ObserveParts,
  { look, mounted }: Seen,
  { bridge, network, problem }: Network,
  file: PodFile,
): string | undefined {
  const podName = podNameOf(file.identity);
  const { subnet, name, internal } = network;
  if (!mounted.has(places.namespace(bridge, podName))) return "its network namespace was deleted";
  const main = look.links.get(bridge);
  if (main === undefined) return `the bridge of network ${name} (${bridge}) was deleted`;
  if (!main.isUp || !main.addresses.includes(`${gatewayOf(subnet)}/${prefixOf(subnet)}`))
    return `the bridge of network ${name} (${bridge}) is down, or has lost its address`;
  const link = look.links.get(places.link(podName));
  if (file.address === undefined || link === undefined)
    return "it has no interface in its network any more";
  if (link.master !== bridge || !link.isUp)
    return `its interface (${link.name}) is not on the bridge of network ${name} any more`;
  if (!internal && !look.forwards)
    return "the host no longer forwards packets (net.ipv4.ip_forward is 0)";
  const own = file.aside === true ? [] : file.ports;
  const lost = own.map(portKey).find((key) => !look.rules.includes(`${forwardOf(file, key)}\n`));
  if (lost !== undefined) return `the rule that forwards host port ${lost} to it was removed`;
  return problem;
}

function problemOf(
  bridge: string,
  network: NetworkFile,
  pods: readonly PodFile[],
  { rules }: Look,
  hosts: string | Error | undefined,
): string | undefined {
  if (!chainsOf(bridge, network, pods).every((chain) => isComplete(chain, rules)))
    return `rules of network ${network.name} (chains ${bridge}-*) were changed, removed or added to`;
  return hosts === hostsText(pods)
    ? undefined
    : `the name list of network ${network.name} is wrong`;
}

/** What no pod is behind: generations of this engine, and networks that nothing is in. */
function leftoversOf(
  { networks, unknown, unfinished }: Seen,
  engine: string,
  known: ReadonlySet<string>,
): readonly ObservedLeftover[] {
  const all = [...networks, ...unknown];
  const begun = all
    .flatMap(({ pods }) => pods.filter((file) => file.engine === engine))
    .map(({ identity }) => podNameOf(identity));
  const pods = [...begun, ...unfinished].filter((name) => !known.has(name));
  const empty = all.filter((network) => network.pods.length === 0);
  return [
    ...pods.map((name) => ({ name, what: "network of a pod" })),
    ...empty.map(({ bridge }) => ({ name: bridge, what: "network" })),
  ];
}

function takenOf({ networks, look }: Seen): ObservedNetwork {
  const byBridge = new Map(networks.map((network) => [network.bridge, network]));
  const forwards = forwardRules(look.rules).flatMap(
    ({ chain, protocol, first, last, hostIp, to }): ForwardedPort[] => {
      const network = byBridge.get(chain.replace(/-dnat$/, ""));
      const pod = network?.pods.find(({ address }) => to.startsWith(`${address}:`))?.identity;
      const id = pod === undefined ? undefined : `${pod.owner}/${pod.fleet}/${pod.pod}`;
      const holder =
        pod === undefined
          ? `a rule of chain ${chain}, which leads it to ${to}`
          : `pod "${pod.pod}" of fleet "${pod.fleet}"`;
      const at = hostIp === undefined ? {} : { hostIp };
      // a rule may speak of all ports: it is one entry each, up to a bound
      return Array.from({ length: Math.min(last - first + 1, PORTS_OF_A_RULE) }, (_, index) => ({
        protocol,
        port: first + index,
        holder,
        ...at,
        ...(id === undefined ? {} : { pod: id }),
      }));
    },
  );
  const subnets = subnetsOf(look).map(({ subnet, device }) => {
    const network = byBridge.get(device)?.network;
    const key =
      network === undefined ? undefined : `${network.owner}/${network.fleet}/${network.name}`;
    return {
      subnet: normal(subnet),
      device,
      holder:
        network === undefined
          ? `interface ${device}`
          : `network "${network.name}" of fleet "${network.fleet}"`,
      ...(key === undefined ? {} : { network: key }),
    };
  });
  return { forwards, subnets };
}

const PORTS_OF_A_RULE = 65_535;

/** A subnet by its first address. */
function normal(subnet: string): string {
  const bits = subnet.includes("/") ? subnet.slice(subnet.indexOf("/")) : "/32";
  return `${addressOf(rangeOf(subnet).first)}${bits}`;
}

function callOptions({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}
