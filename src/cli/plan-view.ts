import type { Paint } from "./text/paint.ts";

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
  /** Notes that were shown: what holds for several pods is said once. */
  readonly saidNotes: Set<string>;
}

/** What happens: made, changed, put right, taken away. */
export type Mark = "+" | "~" | "!" | "-";

/** A mark in its colour. */
export function paintedMark(mark: Mark, paint: Paint): string {
  return { "+": paint.green, "~": paint.yellow, "!": paint.red, "-": paint.red }[mark](mark);
}
