import type { Plan, PodChange } from "../../plan/index.ts";

/**
 * A plan without changes that are not to be made now, and without those that would come after them. No
 * image is released meanwhile.
 *
 * @param isHeld whether a change waits, and with it what depends on it
 * @param isOthers whether a change is somebody else's: nothing waits for it
 */
export function narrowPlan(
  plan: Plan,
  isHeld: (id: string) => boolean,
  isOthers: (change: PodChange) => boolean,
): Plan {
  const others = new Set(plan.pods.filter(isOthers).map(({ id }) => id));
  const all = [...plan.hostChanges, ...plan.pods].filter(({ id }) => !others.has(id));
  const held = new Set(all.map(({ id }) => id).filter(isHeld));
  for (let found = -1; found !== held.size; ) {
    found = held.size;
    for (const { id, after } of all) if (after.some((each) => held.has(each))) held.add(id);
  }
  if (held.size + others.size === 0) return plan;
  return {
    ...plan,
    pods: plan.pods.filter(({ id }) => !held.has(id) && !others.has(id)),
    hostChanges: plan.hostChanges.filter(
      ({ id, action }) => !held.has(id) && (held.size === 0 || action !== "release"),
    ),
  };
}

/** Whether a change does nothing but start what ended: that is for the restart policy to want. */
export function startsEnded({ action, reasons }: PodChange, ended: ReadonlySet<string>): boolean {
  return (
    action === "start" && reasons.every(({ kind, path }) => kind === "state" && ended.has(path))
  );
}
