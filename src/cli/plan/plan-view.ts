import type { EngineConfig } from "../../model/index.ts";
import type { Paint } from "../text/paint.ts";

/** What all hosts of a shown plan have in common. */
export interface HostView {
  readonly paint: Paint;
  readonly columns: number | undefined;
  readonly now: Date;
  /** Everything goes because the user said so: no pod's removal needs a reason. */
  readonly destroying: boolean;
  /** Volumes go as well, once that is agreed to. */
  readonly deletingVolumes: boolean;
  /** Width of the widest host's name. */
  readonly nameWidth: number;
  /** Ids of the plan's pod changes. */
  readonly podIds: ReadonlySet<string>;
  /** Ids of changes that wait for a rollout to be resumed. */
  readonly waiting: ReadonlySet<string>;
  /** Ids of changes by which an image is handed over from another engine. */
  readonly handovers: ReadonlySet<string>;
  /** Engine of each host, by the host's name. */
  readonly engines: ReadonlyMap<string, EngineConfig>;
  /** Notes that were shown: what holds for several pods is said once. */
  readonly saidNotes: Set<string>;
}

/** What happens: made, changed, moved, put right, removed. */
export type Mark = "+" | "~" | ">" | "!" | "-";

/** A mark in its colour. */
export function paintedMark(mark: Mark, paint: Paint): string {
  const colours = {
    "+": paint.green,
    "~": paint.yellow,
    ">": paint.cyan,
    "!": paint.red,
    "-": paint.red,
  };
  return colours[mark](mark);
}
