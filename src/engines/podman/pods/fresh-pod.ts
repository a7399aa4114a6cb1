import type { PodInstance } from "../../../engine/index.ts";

/** A pod of one container that was run a moment ago, and its process. */
export interface FreshPod {
  readonly pod: Pick<PodInstance, "identity" | "recordDigest" | "images">;
  /** Name of its container in the pod. */
  readonly container: string;
  /** Full id of its container. */
  readonly id: string;
  readonly pid: number;
  /** Ticks at which the process began: another one may get its number. */
  readonly startedAt: string;
  readonly seenAt: number;
}
