import type { Host, ProgramVersion } from "../../host/index.ts";
import type { Gate } from "../../internal/index.ts";
import type { HostDirectories, PodIdentity } from "../../model/index.ts";
import type { RktCli } from "./cli/rkt-cli.ts";
import type { Flavor } from "./flavor.ts";
import type { RktLayout } from "./layout.ts";

/** What every operation works with. */
export interface RktContext {
  readonly host: Host;
  readonly directories: HostDirectories;
  readonly layout: RktLayout;
  readonly cli: RktCli;
  readonly version: ProgramVersion;
  readonly flavor: Flavor;
  /** What brings images in goes together; what takes one away, alone: images share blobs, and a name with what was left of it. */
  readonly images: Gate;
}

/** For messages: `pod "web" (generation 3)`. */
export function describePod({ pod, generation }: PodIdentity): string {
  return `pod "${pod}" (generation ${generation})`;
}

/** Options of a host's call; a signal that is absent is not named. */
export function callOptions(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
