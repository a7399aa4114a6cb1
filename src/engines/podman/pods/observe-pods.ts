import { effectiveLimits, type LabelledContainer } from "../../../engine/index.ts";
import type { HostSnapshot } from "../../../host/index.ts";
import {
  type ContainerState,
  type Json,
  LABEL_RECORD,
  type ObservedContainer,
  type ObservedPod,
  podState,
} from "../../../model/index.ts";
import type { InspectedContainer } from "../cli/answers.ts";
import { containerState, endOf } from "./container-state.ts";
import { cgroupOf, type Life } from "./life.ts";
import type { Notes } from "./notes.ts";
import { limitsOf, type PodChanges } from "./pod-changes.ts";
import { reportContainer, reportPod } from "./report-fields.ts";
import { type RestartCounts, restartsOf } from "./restart-counts.ts";

/** A container of Stowage's, with all that was found out about it. */
export interface SeenContainer {
  readonly labels: LabelledContainer;
  readonly found: InspectedContainer;
  readonly life: Life;
  /** Absent when somebody made them unreadable. */
  readonly notes: Notes | undefined;
}

/** What of a pod's own container matters: whether its network is still that of the others. */
export interface SeenInfra {
  readonly found: InspectedContainer;
  readonly life: Life;
}

/** What files of ours say of a generation beside podman. */
export interface Noted {
  readonly changes: PodChanges | undefined;
  readonly restarts: RestartCounts;
}

const ALTERED = "its labels in podman were changed by somebody else";
const UNWATCHED = "conmon, which watches it, is gone: its exit code and output will not be known";
const ORPHANED =
  "podman lost track of it, because its run directory was emptied while it ran: its exit code and output will not be known";
const CUT_OFF = "its network is no longer its pod's: the pod's own container ended";

const MISSING: ObservedContainer = {
  id: "",
  state: "missing",
  image: { reference: "" },
  reported: {},
};

/** Puts the containers of one generation together. */
export function observePod(
  seen: readonly SeenContainer[],
  infra: SeenInfra | undefined,
  noted: Noted,
  files: HostSnapshot["files"],
): ObservedPod {
  const { changes } = noted;
  // a pod is put together of at least one container
  const [first] = seen.map((each) => withChanges(each, changes)) as [SeenContainer];
  const { container: _, ...identity } = first.labels;
  const containers: Record<string, ObservedContainer> = {};
  for (const name of first.notes?.containers ?? []) containers[name] = MISSING;
  for (const each of seen)
    containers[each.labels.container] = observeContainer(
      withChanges(each, changes),
      infra,
      noted,
      files,
    );
  const digests = new Set(
    changes === undefined
      ? seen.map(({ found }) => found.Config.Labels[LABEL_RECORD])
      : [changes.recordDigest],
  );
  const [digest] = digests;
  const mode = (infra ?? first).found.HostConfig.NetworkMode === "host" ? "host" : "none";
  return {
    ...identity,
    ...(digests.size === 1 && digest !== undefined ? { recordDigest: digest } : {}),
    state: podState(Object.values(containers).map(({ state }) => state)),
    containers,
    reported: first.notes === undefined ? {} : reportPod(first.found, mode, first.notes),
  };
}

/** What is declared now, where it was changed since the container was made. */
function withChanges(seen: SeenContainer, changes: PodChanges | undefined): SeenContainer {
  if (seen.notes === undefined || changes === undefined) return seen;
  const { container } = seen.labels;
  const declared = changes.declared[container] ?? [];
  const { image } = seen.notes;
  const reference = changes.images?.[container] ?? image.reference;
  const { podDeclared } = changes;
  return {
    ...seen,
    notes: { ...seen.notes, declared, podDeclared, image: { ...image, reference } },
  };
}

function observeContainer(
  { labels, found, life, notes }: SeenContainer,
  infra: SeenInfra | undefined,
  { changes, restarts: counts }: Noted,
  files: HostSnapshot["files"],
): ObservedContainer {
  const restarts = restartsOf(counts, labels.container, found);
  const state = containerState(found, life);
  const altered = alterationOf(found, life, notes, state, infra);
  return {
    id: found.Name,
    state,
    ...(life.alive && state !== "exited" ? { pid: found.State.Pid } : {}),
    ...(life.orphan === undefined ? {} : { pid: life.orphan }),
    ...(state === "exited" ? endOf(found) : {}),
    ...(restarts === 0 ? {} : { restarts }),
    image:
      notes !== undefined && notes.image.id === found.Image
        ? { reference: notes.image.reference, digest: notes.image.digest }
        : { reference: found.Image },
    reported:
      notes === undefined
        ? {}
        : reportContainer(
            found,
            notes,
            limitsInForce(labels.container, found, notes, changes, files),
          ),
    ...(altered === undefined ? {} : { altered }),
  };
}

function limitsInForce(
  name: string,
  found: InspectedContainer,
  notes: Notes,
  changes: PodChanges | undefined,
  files: HostSnapshot["files"],
): Readonly<Record<string, Json>> {
  const asked = limitsOf(changes, name, notes.resources) as Record<string, number | string>;
  return effectiveLimits(cgroupOf(found), asked, files);
}

function alterationOf(
  found: InspectedContainer,
  life: Life,
  notes: Notes | undefined,
  state: ContainerState,
  infra: SeenInfra | undefined,
): string | undefined {
  if (notes === undefined) return ALTERED;
  if (life.orphan !== undefined) return ORPHANED;
  if (state !== "running") return undefined;
  if (!life.watched) return UNWATCHED;
  return infra !== undefined && isCutOff(found, infra) ? CUT_OFF : undefined;
}

/** A pod's own container begins before all others; one that began later made a new network. */
function isCutOff({ State }: InspectedContainer, infra: SeenInfra): boolean {
  return !infra.life.alive || Date.parse(State.StartedAt) < Date.parse(infra.found.State.StartedAt);
}
