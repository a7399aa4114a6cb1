import type { ObservedContainer, ObservedPod, PodIdentity } from "../model/index.ts";

/** What happened to a container; `listening` happened to nobody: from here on all is heard. */
export type EventKind =
  | "listening"
  | "made"
  | "started"
  | "ended"
  | "paused"
  | "resumed"
  | "out-of-memory"
  | "removed";

/** Something that an engine says to have happened: a reason to look, never the truth. */
export interface EngineEvent {
  readonly kind: EventKind;
  /** UTC, ISO 8601; when the engine noticed it. */
  readonly at: string;
  /** Absent where the engine cannot tell any more whose it was. */
  readonly pod?: PodIdentity;
  readonly container?: string;
  readonly exitCode?: number;
}

/** What must have happened between two observations, for an engine that tells of nothing. */
export function eventsBetween(
  before: readonly ObservedPod[],
  after: readonly ObservedPod[],
  at: string,
): readonly EngineEvent[] {
  const [old, now] = [containersOf(before), containersOf(after)];
  const removed = [...old].filter(([key]) => !now.has(key));
  return [
    ...removed.map(
      ([, { pod, container }]): EngineEvent => ({ kind: "removed", at, pod, container }),
    ),
    ...[...now].flatMap(([key, { pod, container, seen }]) =>
      kindsBetween(old.get(key)?.seen, seen).map((kind): EngineEvent => {
        const { exitCode } = seen;
        const code = kind === "ended" && exitCode !== undefined ? { exitCode } : {};
        return { kind, at, pod, container, ...code };
      }),
    ),
  ];
}

interface Found {
  readonly pod: PodIdentity;
  readonly container: string;
  readonly seen: ObservedContainer;
}

/** Containers that exist, in a known state. */
function containersOf(pods: readonly ObservedPod[]): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  for (const { owner, fleet, host, pod, generation, containers } of pods) {
    for (const [container, seen] of Object.entries(containers)) {
      if (seen.state === "missing") continue;
      const key = JSON.stringify([owner, fleet, host, pod, generation, container]);
      found.set(key, { pod: { owner, fleet, host, pod, generation }, container, seen });
    }
  }
  return found;
}

type Kinds = readonly EventKind[];

/** What led from one state to another; from `absent` where there was nothing. */
const KINDS: Readonly<Record<string, Kinds>> = {
  "absent prepared": ["made"],
  "absent running": ["made", "started"],
  "absent exited": ["made", "started", "ended"],
  "absent paused": ["made", "started", "paused"],
  "prepared running": ["started"],
  "prepared paused": ["started", "paused"],
  "running exited": ["ended"],
  "running paused": ["paused"],
  "paused running": ["resumed"],
  "paused exited": ["ended"],
  "exited running": ["started"],
  "exited paused": ["started", "paused"],
};

function kindsBetween(before: ObservedContainer | undefined, after: ObservedContainer): Kinds {
  const [was, is] = [before?.state ?? "absent", after.state];
  if (was !== is) return KINDS[`${was} ${is}`] ?? [];
  // another process: the one of before ended in between
  if (is === "running") return isOther(before?.pid, after.pid) ? ["ended", "started"] : [];
  return is === "exited" && isOther(before?.exitedAt, after.exitedAt) ? ["started", "ended"] : [];
}

function isOther(before: unknown, after: unknown): boolean {
  return before !== undefined && after !== undefined && before !== after;
}
