import type { FleetManifest, HostSpec } from "../../model/index.ts";
import type { PlanOptions } from "../../plan/index.ts";

/** What to look at, and for which fleet. */
export interface ObserveHostRequest {
  readonly name: string;
  readonly spec: HostSpec;
  readonly manifest: FleetManifest;
  readonly options: PlanOptions;
  readonly signal?: AbortSignal | undefined;
}
