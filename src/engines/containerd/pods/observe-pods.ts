import type { LabelledContainer } from "../../../engine/index.ts";
import {
  type ContainerState,
  type Json,
  LABEL_RECORD,
  type ObservedContainer,
  type ObservedPod,
  podState,
} from "../../../model/index.ts";
import { effectiveLimits } from "../spec/kernel-limits.ts";
import type { Notes } from "../spec/notes.ts";
import { reportContainer, reportPod } from "../spec/report-fields.ts";
import type { StoredSpec } from "../spec/stored-spec.ts";
import type { ContainerRecord } from "./container-records.ts";
import { restartsIn } from "./pod-labels.ts";
import type { Task } from "./tasks.ts";

/** A container of Stowage's as the lists tell of it. */
export interface SeenContainer {
  readonly record: ContainerRecord;
  readonly labels: LabelledContainer;
  /** Whether its spec is as Stowage wrote it. */
  readonly own: boolean;
  /** Whether the snapshot that its root file system lies in is there. */
  readonly rooted: boolean;
  /** Absent when somebody made it unreadable. */
  readonly spec: StoredSpec | undefined;
  /** Absent where they cannot be read in it. */
  readonly notes: Notes | undefined;
  readonly task: Task | undefined;
}

type Files = ReadonlyMap<string, string | Error>;

const ALTERED = "its runtime spec in containerd was changed by somebody else";
const UNROOTED = "its file system is gone: somebody deleted its snapshot from containerd";

/** Puts containers together to generations of pods. */
export function observePods(
  seen: readonly SeenContainer[],
  files: Files,
  bundles: ReadonlySet<string>,
): readonly ObservedPod[] {
  const pods = new Map<string, SeenContainer[]>();
  for (const each of seen) {
    const { owner, fleet, host, pod, generation } = each.labels;
    const key = JSON.stringify([owner, fleet, host, pod, generation]);
    const known = pods.get(key);
    if (known === undefined) pods.set(key, [each]);
    else known.push(each);
  }
  return [...pods.values()].map((containers) => observePod(containers, files, bundles));
}

function observePod(
  seen: readonly SeenContainer[],
  files: Files,
  bundles: ReadonlySet<string>,
): ObservedPod {
  // a pod is put together of at least one container
  const [first] = seen as readonly [SeenContainer];
  const { container: _, ...identity } = first.labels;
  const { notes } = first;
  const containers: Record<string, ObservedContainer> = {};
  for (const name of notes?.containers ?? []) containers[name] = MISSING;
  for (const each of seen)
    containers[each.labels.container] = observeContainer(each, files, bundles);
  const digests = new Set(seen.map(({ record }) => record.labels[LABEL_RECORD]));
  const [digest] = digests;
  const states = Object.values(containers).map(({ state }) => state);
  return {
    ...identity,
    // one digest on all: else an update, or the making of it, did not complete
    ...(digests.size === 1 && digest !== undefined ? { recordDigest: digest } : {}),
    state: digests.has(undefined) ? "incomplete" : podState(states),
    containers,
    reported: first.spec === undefined || notes === undefined ? {} : reportPod(first.spec, notes),
  };
}

const MISSING: ObservedContainer = {
  id: "",
  state: "missing",
  image: { reference: "" },
  reported: {},
};

function observeContainer(
  { record, own, rooted, spec, notes, task }: SeenContainer,
  files: Files,
  bundles: ReadonlySet<string>,
): ObservedContainer {
  const { pid = 0, exitCode, exitedAt } = task ?? {};
  const state = stateOf(record, task, bundles);
  const restarts = restartsIn(record.labels);
  const altered = !own || notes === undefined ? ALTERED : rooted ? undefined : UNROOTED;
  return {
    id: record.id,
    state,
    ...(pid > 0 && state !== "exited" ? { pid } : {}),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exitedAt === undefined ? {} : { exitedAt }),
    ...(restarts === 0 ? {} : { restarts }),
    image: imageOf(record.image),
    reported: spec === undefined || notes === undefined ? {} : reported(spec, notes, files),
    ...(altered === undefined ? {} : { altered }),
  };
}

/**
 * A container that was made to its end and has no task has ended: by a stop before its first start, a
 * reboot, or somebody's hand. A bundle without a task is what a create that was interrupted leaves.
 */
function stateOf(
  record: ContainerRecord,
  task: Task | undefined,
  bundles: ReadonlySet<string>,
): ContainerState {
  if (task !== undefined) return task.state;
  return record.labels[LABEL_RECORD] === undefined || bundles.has(record.id) ? "missing" : "exited";
}

function reported(spec: StoredSpec, notes: Notes, files: Files): Readonly<Record<string, Json>> {
  return reportContainer(spec, notes, effectiveLimits(spec, files));
}

function imageOf(name: string): ObservedContainer["image"] {
  const at = name.indexOf("@");
  return at < 0
    ? { reference: name }
    : { reference: name.slice(0, at), digest: name.slice(at + 1) };
}
