import type { IConstruct } from "constructs";
import {
  type HostSpec,
  type ImageSpec,
  MANIFEST_VERSION,
  type NetworkSpec,
  type PodSpec,
  pathText,
  type RegistrySpec,
} from "../model/index.ts";
import { BridgeNetwork } from "./bridge-network.ts";
import { compact } from "./compact.ts";
import { mergeDefaults } from "./defaults.ts";
import { dependencyNames } from "./dependency-names.ts";
import type { Draft } from "./draft.ts";
import { Host } from "./host.ts";
import { HostVolumes } from "./host-volumes.ts";
import { Image } from "./image.ts";
import { type Placement, placePods } from "./placements.ts";
import type { FleetScope } from "./scopes.ts";

/** What a fleet says of itself. */
export interface FleetIdentity {
  readonly id: string;
  readonly formerly: string | undefined;
  readonly registries: Readonly<Record<string, RegistrySpec>> | undefined;
}

/** What the constructs below a fleet declare, as a manifest that was not validated yet. */
export function draftFleet(fleet: FleetScope, identity: FleetIdentity, draft: Draft): unknown {
  const constructs = fleet.node.findAll();
  const hosts = constructs.filter((each) => each instanceof Host);
  const placements = placePods(constructs, hosts, draft);
  const byHost = new Map<Host, Placement[]>(hosts.map((host) => [host, []]));
  for (const placement of placements) byHost.get(placement.host)?.push(placement);
  const around = { fleet, placements, draft };
  return compact({
    version: MANIFEST_VERSION,
    name: fleet.fleetName,
    ...identity,
    images: draftImages(constructs, draft),
    networks: draftNetworks(constructs, draft),
    hosts: Object.fromEntries(
      hosts.flatMap((host) => {
        const path = pathText(["hosts", host.hostName]);
        if (!draft.claim(path, host, `the host "${host.hostName}"`)) return [];
        return [[host.hostName, draftHost(host, byHost.get(host) ?? [], around)]];
      }),
    ),
  });
}

function draftImages(constructs: readonly IConstruct[], draft: Draft): Record<string, ImageSpec> {
  const images: Record<string, ImageSpec> = {};
  for (const image of constructs.filter((each) => each instanceof Image)) {
    const path = pathText(["images", image.reference]);
    if (draft.claim(path, image, `the image "${image.reference}"`))
      images[image.reference] = image.toSpec();
  }
  return images;
}

function draftNetworks(
  constructs: readonly IConstruct[],
  draft: Draft,
): Record<string, NetworkSpec> {
  const networks: Record<string, NetworkSpec> = {};
  for (const network of constructs.filter((each) => each instanceof BridgeNetwork)) {
    const name = network.networkName;
    if (draft.claim(pathText(["networks", name]), network, `the network "${name}"`))
      networks[name] = network.toSpec();
  }
  return networks;
}

function draftHost(
  host: Host,
  here: readonly Placement[],
  around: Omit<Surroundings, "volumes">,
): HostSpec {
  const { fleet, draft } = around;
  const path = pathText(["hosts", host.hostName]);
  const engine = host.engine ?? fleet.defaults.engine;
  if (engine === undefined) {
    draft.report(
      `${path}.engine`,
      "it has no engine",
      "set engine, such as Engine.containerd(), here or in the fleet's defaults",
    );
  }
  const volumes = new HostVolumes(host, draft);
  const pods: Record<string, PodSpec> = {};
  for (const placement of here) {
    const podPath = pathText(["hosts", host.hostName, "pods", placement.name]);
    if (
      !draft.claim(
        podPath,
        placement.source,
        `the pod "${placement.name}" of host ${host.hostName}`,
      )
    )
      continue;
    pods[placement.name] = draftPod(placement, podPath, { ...around, volumes });
  }
  return compact<HostSpec>({
    address: host.address,
    labels: host.labels,
    // while there is none this stands in, so that all else can be checked
    engine: engine?.toConfig() ?? { kind: "sim" },
    pull: host.pull,
    pullBytesPerSecond: host.pullPerSecond?.toBytes(),
    stateDir: host.stateDir,
    runDir: host.runDir,
    pods,
  });
}

interface Surroundings {
  readonly fleet: FleetScope;
  readonly placements: readonly Placement[];
  readonly draft: Draft;
  readonly volumes: HostVolumes;
}

function draftPod({ host, source }: Placement, path: string, around: Surroundings): PodSpec {
  const { fleet, placements, draft, volumes } = around;
  for (const container of source.containers) {
    const name = container.containerName;
    draft.claim(pathText(["containers", name], path), container, `the container "${name}"`);
  }
  return source.toSpec({
    defaults: mergeDefaults(fleet.defaults, host.defaults),
    dependency: (pod) => {
      const names = dependencyNames(pod, host, placements);
      if (names.length === 0) {
        draft.report(
          `${path}.dependsOn`,
          `"${typeof pod === "string" ? pod : pod.podName}" is placed on no host of this fleet`,
          "name a pod of this fleet",
        );
      }
      return names;
    },
    useVolume: (volume) => volumes.use(volume, path),
    report: (place, summary, remedy) => draft.report(`${path}.${place}`, summary, remedy),
  });
}
