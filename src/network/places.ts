import { nameOfTemporary, temporaryPath } from "../host/index.ts";
import {
  bridgeName,
  linkName,
  objectName,
  type PodIdentity,
  type PodSpec,
} from "../model/index.ts";

/**
 * Where what is known of networks lies on a host; a reboot ends all of it.
 *
 *     <runDir>/networks/<bridge>/network.json      what the network is
 *     <runDir>/networks/<bridge>/pods/<pod>.json   a generation that is in it, with its address while it has one
 *     <runDir>/networks/<bridge>/netns/<pod>       its network namespace, mounted
 *     <runDir>/networks/<bridge>/hosts             names of all pods that have an address; a file of each container
 *     <runDir>/networks/<bridge>/resolv.conf       name servers; a file of each container
 */
export class NetworkPlaces {
  readonly root: string;
  readonly #runDir: string;

  constructor(runDir: string) {
    this.root = `${runDir}/networks`;
    this.#runDir = runDir;
  }

  /** Name of the bridge of a pod's network; another declared subnet is another bridge. */
  bridge(identity: PodIdentity, { network }: PodSpec): string {
    return bridgeName(this.#runDir, identity, network);
  }

  /** Name of the host's end of a pod's interface. */
  link(podName: string): string {
    return linkName("pod", this.#runDir, podName);
  }

  directory(bridge: string): string {
    return `${this.root}/${bridge}`;
  }

  networkFile(bridge: string): string {
    return `${this.directory(bridge)}/network.json`;
  }

  podsDirectory(bridge: string): string {
    return `${this.directory(bridge)}/pods`;
  }

  podFile(bridge: string, podName: string): string {
    return `${this.podsDirectory(bridge)}/${podName}.json`;
  }

  /** What a killed writer leaves of {@link podFile}. */
  unfinishedPodFile(bridge: string, podName: string): string {
    return temporaryPath(this.podFile(bridge, podName));
  }

  /** Name of the generation that such a file was to be of; undefined of other files. */
  unfinishedPod(path: string): string | undefined {
    return nameOfTemporary(path.slice(path.lastIndexOf("/") + 1))?.replace(/\.json$/, "");
  }

  namespace(bridge: string, podName: string): string {
    return `${this.directory(bridge)}/netns/${podName}`;
  }

  hostsFile(bridge: string): string {
    return `${this.directory(bridge)}/hosts`;
  }

  resolvFile(bridge: string): string {
    return `${this.directory(bridge)}/resolv.conf`;
  }

  /** The bridge that a file of ours belongs to. */
  bridgeOf(path: string): string {
    return path.slice(this.root.length + 1).split("/")[0] ?? "";
  }
}

/** Name of what belongs to a generation. */
export function podNameOf(identity: PodIdentity): string {
  return objectName(identity);
}
