import type { FleetManifest, HostSpec, KnownRosterHosts } from "../../model/index.ts";
import type { PlanOptions } from "../../plan/index.ts";

/** What to look at, and for which fleet. */
export interface ObserveHostRequest {
  readonly name: string;
  readonly spec: HostSpec;
  readonly manifest: FleetManifest;
  readonly options: PlanOptions;
  /** Shared by the hosts of one observation, which hold the same roster. */
  readonly knownRosterHosts?: KnownRosterHosts | undefined;
  /** Whether to look who holds the host's lock: not where it is one's own. */
  readonly heedLocks?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
