import { type CniNetwork, linkName, type PodIdentity } from "../../model/index.ts";

/**
 * Where what is known of such networks lies. What was made outside of the pod's namespace, such as a
 * lease of an address on disk, outlives a boot, and so does what is needed to give it back.
 *
 *     <stateDir>/.cni/<pod>/pod.json   a generation: see the schema
 *     <stateDir>/.cni/<pod>/…          what its plugins were given and said: see the scripts
 *     <runDir>/cni/<network>/netns/<pod>    its network namespace, mounted
 *     <runDir>/cni/<network>/resolv/<pod>   name servers; a file of each of its containers
 *     <runDir>/cni/<network>/hosts          names of the fleet's pods of that network on this host
 */
export class CniPlaces {
  readonly root: string;
  /** Directory of what networks have. */
  readonly networks: string;

  constructor({ stateDir, runDir }: { readonly stateDir: string; readonly runDir: string }) {
    this.root = `${stateDir}/.cni`;
    this.networks = `${runDir}/cni`;
  }

  /** Directory of what is known of a generation. */
  directory(podName: string): string {
    return `${this.root}/${podName}`;
  }

  podFile(podName: string): string {
    return `${this.directory(podName)}/pod.json`;
  }

  /** Directory of what the pods of one network of a fleet share. */
  network({ owner, fleet, host }: PodIdentity, { name, configDir = "" }: CniNetwork): string {
    const code = linkName("cni", this.networks, owner, fleet, host, name, configDir);
    return `${this.networks}/${code}`;
  }

  hostsFile(network: string): string {
    return `${network}/hosts`;
  }

  namespace(network: string, podName: string): string {
    return `${network}/netns/${podName}`;
  }

  resolvFile(network: string, podName: string): string {
    return `${network}/resolv/${podName}`;
  }
}
