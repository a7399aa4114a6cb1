import { type Diagnostic, DiagnosticsError } from "../errors/index.ts";
import {
  canonicalize,
  digestOf,
  type EngineConfig,
  FleetManifest,
  type HostSpec,
  hostDirectories,
} from "../model/index.ts";
import { type AskedRestart, askedRestart, hostRestartRefusals } from "./asked-restarts.ts";
import { cniProblems } from "./cni-problems.ts";
import { endedPart } from "./ended-work.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { earlyHostChanges, isForgotten, lateHostChanges } from "./host-changes.ts";
import { imageChanges, imagesBefore, importsOf } from "./image-changes.ts";
import { orderChanges } from "./order.ts";
import { unseenState } from "./other-state.ts";
import {
  type HostChange,
  type HostPlan,
  type KeptVolume,
  PLAN_VERSION,
  type Plan,
  type PodChange,
} from "./plan.ts";
import type { HostObservation, HostUnreachable, PlanInput } from "./plan-input.ts";
import {
  busyHost,
  lostEngines,
  pausesIn,
  uncomparedSecrets,
  unknownStates,
} from "./plan-warnings.ts";
import { planPod } from "./pod-change.ts";
import { keptElsewhere, mayRun, movedFrom, type PodContext, podsOf } from "./pod-context.ts";
import { podContexts } from "./pod-contexts.ts";
import { portClashes } from "./ports.ts";
import { hostRefusals, isGone, podRefusals } from "./refusals.ts";
import { subnetClashes } from "./subnets.ts";

interface HostDraft {
  readonly host: string;
  readonly spec: HostSpec;
  readonly observation: HostObservation;
  readonly contexts: readonly PodContext[];
  readonly changes: readonly PodChange[];
  /** Why nothing is done to pods that were asked for. */
  readonly notes: readonly string[];
}

/**
 * What has to be done to make the hosts what the manifest says. Pure: the same input gives the same
 * plan. What was refused is refused as a whole, with everything that is wrong.
 *
 * @throws DiagnosticsError when something that is declared cannot or must not be done
 */
export function plan(input: PlanInput): Plan {
  const diagnostics: Diagnostic[] = [];
  const warnings: string[] = [];
  const drafts: HostDraft[] = [];
  const hostChanges: HostChange[] = [];
  const hosts: HostPlan[] = [];
  for (const [host, spec] of plannedHosts(input)) {
    const found = input.hosts.get(host);
    if (found === undefined) continue;
    if (found.kind === "unreachable") {
      const change = unreachable(input, host, found);
      if (change !== undefined) hostChanges.push(change);
      hosts.push(hostPlan(input, host, spec, undefined, []));
      continue;
    }
    const draft = draftHost(input, host, spec, found, diagnostics);
    drafts.push(draft);
    hosts.push(hostPlan(input, host, spec, found, draft.contexts));
    warnings.push(...busyHost(draft), ...unknownStates(draft), ...lostEngines(input, draft));
    warnings.push(...unseenState(input, host, found), ...draft.notes);
  }
  const contexts = new Map(
    drafts.flatMap((draft) => draft.contexts).map((each) => [`${each.host}/${each.pod}`, each]),
  );
  const pauses = pausesIn(input, contexts);
  const ordered = orderChanges(
    drafts.flatMap(({ changes }) => changes),
    contexts,
    pauses.held,
  );
  diagnostics.push(...ordered.diagnostics);
  warnings.push(...pauses.warnings);
  warnings.push(...uncomparedSecrets(contexts, new Set(ordered.changes.map(({ id }) => id))));
  const pods: PodChange[] = [];
  for (const draft of drafts) {
    const own = ordered.changes.filter(({ host }) => host === draft.host);
    const around = aroundPods(input, draft, own, diagnostics);
    warnings.push(...around.warnings);
    hostChanges.push(...around.changes);
    pods.push(...own.map((change) => withAfter(change, around.before(change.pod))));
  }
  if (diagnostics.length > 0)
    throw new DiagnosticsError(`The plan of fleet "${input.manifest.name}"`, diagnostics);
  return {
    version: PLAN_VERSION,
    owner: input.manifest.id,
    fleet: input.manifest.name,
    ...(input.options.fingerprints === true
      ? { manifest: digestOf(canonicalize(FleetManifest, input.manifest)) }
      : {}),
    hosts,
    pods,
    hostChanges: withLeaves(input, hostChanges),
    ...(ordered.rollouts.length === 0 ? {} : { rollouts: ordered.rollouts }),
    warnings,
    partial: input.options.hosts !== undefined || input.options.pods !== undefined,
  };
}

/** Whether a plan has nothing to do and knows so. */
export function isConverged(made: Plan): boolean {
  return made.pods.length === 0 && made.hostChanges.length === 0;
}

function plannedHosts(input: PlanInput): readonly (readonly [string, HostSpec])[] {
  const wanted = input.options.hosts;
  const all = [...Object.entries(input.manifest.hosts), ...input.leaving];
  return all
    .filter(([name]) => wanted === undefined || wanted.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function draftHost(
  input: PlanInput,
  host: string,
  spec: HostSpec,
  observation: HostObservation,
  diagnostics: Diagnostic[],
): HostDraft {
  const refusals = hostRefusals(input, host, observation);
  diagnostics.push(...refusals);
  if (refusals.length > 0) return { host, spec, observation, contexts: [], changes: [], notes: [] };
  const declared = host in input.manifest.hosts ? spec : undefined;
  const made = podContexts(input, host, declared, observation);
  diagnostics.push(
    ...made.diagnostics,
    ...portClashes(made.contexts),
    ...subnetClashes(made.contexts, hostDirectories(spec).runDir),
    ...cniProblems(made.contexts),
  );
  const changes: PodChange[] = [];
  const notes: string[] = [];
  for (const context of made.contexts) {
    const { pod, desired } = context;
    if (desired !== undefined)
      diagnostics.push(...podRefusals(host, pod, desired.spec, observation));
    const { change, refusal, note } = planned(input, context);
    if (change !== undefined) changes.push(change);
    if (refusal !== undefined) diagnostics.push(refusal);
    if (note !== undefined) notes.push(note);
  }
  return { host, spec, observation, contexts: made.contexts, changes, notes };
}

/** What is to be done to a pod: all that is due, or where restarts were asked for, that alone. */
function planned({ options: { restart } }: PlanInput, context: PodContext): AskedRestart {
  if (restart?.includes(`${context.host}/${context.pod}`)) return askedRestart(context);
  const change = restart === undefined ? planPod(context) : undefined;
  return change === undefined ? {} : { change };
}

/** The changes of a host around those of its pods, and what each pod has to wait for. */
function aroundPods(
  input: PlanInput,
  draft: HostDraft,
  pods: readonly PodChange[],
  diagnostics: Diagnostic[],
): {
  readonly changes: readonly HostChange[];
  readonly warnings: readonly string[];
  before(pod: string): readonly string[];
} {
  const { host, observation, contexts } = draft;
  const images = imageChanges(input, host, observation, contexts, pods);
  const early = earlyHostChanges(input, host, observation, importsOf(images.changes));
  diagnostics.push(...images.diagnostics);
  const elsewhere = [...early, ...images.changes].filter(({ steps }) =>
    steps.some((step) => "engine" in step),
  );
  const late = lateHostChanges(input, host, observation, pods, {
    others: staying(input, draft),
    elsewhere: elsewhere.map(({ id }) => id),
  });
  const first = early.map(({ id }) => id);
  const byPod = new Map(contexts.map((context) => [context.pod, context]));
  const before = (pod: string) => [...first, ...imagesBefore(byPod.get(pod), images.changes)];
  if (input.options.restart !== undefined) {
    diagnostics.push(...hostRestartRefusals(host, pods, before));
    return { changes: [], warnings: [], before: () => [] };
  }
  return { changes: [...early, ...images.changes, ...late], warnings: images.warnings, before };
}

/** Engines of a host, beside the declared one, that hold something of the fleet when all is done. */
function staying(input: PlanInput, { observation, contexts }: HostDraft): readonly EngineConfig[] {
  const present = observation.others.filter((other) => !isGone(input, other));
  // of pods that are not planned nothing is known
  if (input.options.pods !== undefined) return present.map(({ config }) => config);
  const kept = new Set(contexts.flatMap(keptElsewhere).map(({ engine }) => engine));
  return present.map(({ config }) => config).filter((config) => kept.has(config));
}

function withAfter(change: PodChange, before: readonly string[]): PodChange {
  return before.length === 0 ? change : { ...change, after: [...before, ...change.after] };
}

/** A roster is only shortened when the hosts that leave have been cleaned. */
function withLeaves(input: PlanInput, changes: readonly HostChange[]): readonly HostChange[] {
  const leaves = changes
    .filter(({ action, host }) => action === "leave" && input.leaving.has(host))
    .map(({ id }) => id);
  if (leaves.length === 0) return changes;
  return changes.map((change) =>
    change.action === "roster" ? { ...change, after: [...change.after, ...leaves] } : change,
  );
}

function unreachable(
  input: PlanInput,
  host: string,
  { reason }: HostUnreachable,
): HostChange | undefined {
  if (input.leaving.has(host) && isForgotten(input, host)) return undefined;
  const leaves = input.leaving.has(host);
  const text = leaves
    ? `the host leaves the fleet and cannot be reached: ${reason}; its pods stay there until it can, or until --forget-host ${host}`
    : `the host cannot be reached: ${reason}; nothing is planned for it`;
  return { id: `${host}/unreachable`, host, action: "unreachable", text, steps: [], after: [] };
}

function hostPlan(
  input: PlanInput,
  host: string,
  spec: HostSpec,
  observation: HostObservation | undefined,
  contexts: readonly PodContext[],
): HostPlan {
  return {
    host,
    address: spec.address,
    engine: spec.engine,
    directories: hostDirectories(spec),
    ...(observation === undefined ? {} : { info: observation.info }),
    ...(observation === undefined || input.options.fingerprints !== true
      ? {}
      : { fingerprint: fingerprintOf(observation) }),
    declared: host in input.manifest.hosts,
    ...wasPart(contexts),
    running: contexts.filter((context) => podsOf(context).some(mayRun)).length,
    kept: observation === undefined ? [] : keptVolumes(input, observation, contexts),
    ...endedPart(contexts),
  };
}

function wasPart(contexts: readonly PodContext[]): Pick<HostPlan, "was"> {
  const moved = contexts.flatMap((context) =>
    context.desired === undefined ? [] : (movedFrom(context)?.engine ?? []),
  );
  return moved.length === 0 ? {} : { was: [...new Set(moved)] };
}

function keptVolumes(
  input: PlanInput,
  observation: HostObservation,
  contexts: readonly PodContext[],
): readonly KeptVolume[] {
  if (input.options.pods !== undefined) return [];
  const used = new Set(
    contexts.flatMap(({ desired }) =>
      Object.values(desired?.spec.volumes ?? {}).map((volume) =>
        volume.kind === "named" ? volume.name : undefined,
      ),
    ),
  );
  return [...observation.volumes]
    .filter(([volume]) => !used.has(volume))
    .map(([volume, { path, sizeBytes }]) => ({
      volume,
      path,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
    }));
}
