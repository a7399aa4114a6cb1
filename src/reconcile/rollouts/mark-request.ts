import type { FleetManifest } from "../../model/index.ts";
import type { Connector } from "../connector.ts";

/** Which rollout is to be paused, or to go on. */
export interface MarkRolloutRequest {
  readonly manifest: FleetManifest;
  readonly service: string;
  readonly paused: boolean;
  readonly connector: Pick<Connector, "open">;
  /** Who says so: `user@machine`. */
  readonly by: string;
  readonly now: () => Date;
  readonly parallelism?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
