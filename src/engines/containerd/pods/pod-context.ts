import type { Host } from "../../../host/index.ts";
import { type HostDirectories, objectName, type PodIdentity } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import type { UserResolver } from "../images/user-resolver.ts";
import type { FreshPods } from "./fresh-pods.ts";
import type { HostFacts } from "./host-facts.ts";
import type { ImageDetailsReader } from "./image-details.ts";

/** What every operation on pods works with. */
export interface PodContext {
  readonly client: ContainerdClient;
  readonly host: Host;
  readonly directories: HostDirectories;
  readonly socketPath: string;
  /** First number of the daemon's version. */
  readonly major: number;
  readonly runtime: string;
  readonly snapshotter: string;
  readonly users: UserResolver;
  readonly images: ImageDetailsReader;
  readonly facts: HostFacts;
  /** Names of the containers of generations that were seen, by {@link generationKey}. */
  readonly names: Map<string, readonly string[]>;
  readonly fresh: FreshPods;
}

/** What tells a generation apart within this process. */
export function generationKey({ owner, fleet, host, pod, generation }: PodIdentity): string {
  return `${owner}/${fleet}/${host}/${pod}/${generation}`;
}

/** Directory of a container's output. */
export function logDirectory({ stateDir }: HostDirectories, id: string): string {
  return `${stateDir}/logs/${id}`;
}

/** File that a pod's network namespace is mounted on. */
export function networkNamespacePath({ runDir }: HostDirectories, identity: PodIdentity): string {
  return `${runDir}/netns/${objectName(identity)}`;
}

/** For messages: `pod "web" (generation 3)`. */
export function describePod({ pod, generation }: PodIdentity): string {
  return `pod "${pod}" (generation ${generation})`;
}
