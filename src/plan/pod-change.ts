import {
  DEFAULTS_VERSION,
  generationDigest,
  type ObservedPod,
  type RecordedGeneration,
} from "../model/index.ts";
import { declaredReasons, driftReasons, strongestVerdict, uncomparedPaths } from "./compare.ts";
import { stopsFirst, writableVolumes } from "./exclusive.ts";
import type { Action, PodChange, Reason, ResolvedPod, Step } from "./plan.ts";
import {
  currentGeneration,
  mayRun,
  nextGeneration,
  originOf,
  type PodContext,
  recorded,
} from "./pod-context.ts";
import { stateReasons } from "./state-reasons.ts";
import { createSteps, freshSteps, removeSteps, startSteps, sweepSteps } from "./steps.ts";

/** The change that one pod needs; undefined when it is what it should be. */
export function planPod(context: PodContext): PodChange | undefined {
  if (context.desired === undefined) return planRemoval(context);
  const desired = context.desired;
  if (context.generations.length === 0) return planCreation(context, desired);
  const adopted = planAdoption(context, desired);
  if (adopted !== undefined) return adopted;
  const current = currentGeneration(context) as ObservedPod;
  const reasons = reasonsFor(context, desired, current);
  const verdict = strongestVerdict(reasons);
  const stale = context.generations.filter((each) => each !== current);
  if (verdict === "replace") return planReplacement(context, desired, current, reasons);
  const to = { ...target(desired, current.generation), ...secretsOf(context, current.generation) };
  const from =
    context.record?.current === current.generation
      ? recorded(context, current.generation)
      : undefined;
  const steps: Step[] = [...sweepSteps(stale)];
  const needsStart = reasons.some(({ kind, verdict: each }) => kind === "state" && each === "none");
  const paths = reasons
    .filter((reason) => reason.verdict === "live" || reason.verdict === "restart")
    .map(({ path }) => path);
  const rewrite = verdict !== "none" || needsRecord(context, current);
  if (verdict === "restart" && mayRun(current))
    steps.push({ kind: "stop", generation: current.generation });
  if (verdict !== "none") steps.push({ kind: "update", generation: current.generation, paths });
  if (needsStart || verdict === "restart") steps.push(...startSteps(current.generation));
  if (rewrite) steps.push({ kind: "commit", generation: current.generation });
  if (steps.length === 0) return undefined;
  const action: Action =
    verdict === "restart"
      ? "restart"
      : verdict === "live"
        ? "update"
        : needsStart
          ? "start"
          : rewrite
            ? "adopt"
            : "clean";
  return {
    ...frame(
      context,
      action,
      [...reasons, ...leftoverReasons(stale), ...lostReasons(context, current)],
      steps,
    ),
    interrupts: verdict === "restart",
    to,
    ...(verdict === "restart" && from !== undefined ? { from } : {}),
    notes: notesFor(context, desired, current),
  };
}

function planCreation(context: PodContext, desired: ResolvedPod): PodChange {
  const generation = nextGeneration(context);
  const gone = context.record?.current !== undefined;
  const reason: Reason = {
    kind: gone ? "state" : "declared",
    path: "",
    verdict: "replace",
    text: gone ? "it is gone: somebody removed it from the engine" : "it is new",
  };
  return {
    ...frame(context, "create", [reason], createSteps(desired.spec, context, generation)),
    interrupts: false,
    fresh: generation,
    to: target(desired, generation),
    notes: notesFor(context, desired, undefined),
  };
}

/** A rollout that was cut short after its new generation was made: it is carried on from there. */
function planAdoption(context: PodContext, desired: ResolvedPod): PodChange | undefined {
  const { generations, record, desiredDigest, recordLost } = context;
  if (recordLost !== undefined || isRenamed(context)) return undefined;
  const made = generations.findLast(
    (each) =>
      each.generation !== record?.current &&
      each.recordDigest === desiredDigest &&
      (each.state === "prepared" || each.state === "running") &&
      recorded(context, each.generation) !== undefined,
  );
  if (made === undefined || hasChangedSecret(context)) return undefined;
  const others = generations.filter((each) => each !== made);
  const from = recorded(context, record?.current);
  const old = others.find((each) => each.generation === from?.generation);
  const before = others.filter((each) => each !== old);
  const steps: Step[] = [
    ...sweepSteps(before),
    ...(made.state === "prepared"
      ? freshSteps(old, stopsFirst(from?.spec, desired.spec), made.generation)
      : freshSteps(old, false, made.generation)),
  ];
  const reason: Reason = {
    kind: "leftover",
    path: "",
    verdict: "none",
    text: "an apply was cut short; it goes on from there",
  };
  const known =
    from === undefined
      ? []
      : declaredReasons(desired, from, context.observation.capabilities, undefined);
  return {
    ...frame(context, "adopt", [reason, ...known], steps),
    interrupts: old !== undefined && mayRun(old),
    to: { ...target(desired, made.generation), ...secretsOf(context, made.generation) },
    ...(from === undefined || old === undefined ? {} : { from }),
    notes: notesFor(context, desired, undefined),
  };
}

function planReplacement(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod,
  reasons: readonly Reason[],
): PodChange {
  const generation = nextGeneration(context);
  const applied = recorded(context, current.generation);
  const from = context.record?.current === current.generation ? applied : undefined;
  const keepsOld = current.state !== "incomplete";
  const stale = context.generations.filter((each) => each !== current || !keepsOld);
  const first = applied === undefined || stopsFirst(applied.spec, desired.spec);
  const steps: Step[] = [
    ...sweepSteps(stale),
    ...createSteps(
      desired.spec,
      context,
      generation,
      keepsOld ? { old: current, stopFirst: first } : undefined,
    ),
  ];
  return {
    ...frame(
      context,
      "replace",
      [...reasons, ...leftoverReasons(stale.filter((each) => each !== current))],
      steps,
    ),
    interrupts: mayRun(current) && first,
    fresh: generation,
    to: target(desired, generation),
    ...(from === undefined || !keepsOld ? {} : { from }),
    notes: notesFor(context, desired, current),
  };
}

function planRemoval(context: PodContext): PodChange | undefined {
  if (
    context.generations.length === 0 &&
    context.record === undefined &&
    context.recordLost === undefined
  ) {
    return undefined;
  }
  const text =
    context.generations.length === 0
      ? "it is not declared, and only its record is left"
      : "it is not declared";
  return {
    ...frame(
      context,
      "remove",
      [{ kind: "declared", path: "", verdict: "none", text }],
      removeSteps(context),
    ),
    interrupts: context.generations.some(mayRun),
    notes: [],
  };
}

function reasonsFor(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod,
): readonly Reason[] {
  const { capabilities } = context.observation;
  const applied = recorded(context, current.generation);
  const states = stateReasons(desired.spec, current);
  if (isRenamed(context)) {
    const { owner, fleet } = originOf(context);
    const text =
      owner === context.declared.owner
        ? `the fleet was named ${fleet}`
        : `it is taken over from owner ${owner}`;
    return [{ kind: "declared", path: "", verdict: "replace", text }, ...states];
  }
  if (applied !== undefined) {
    const declared = declaredReasons(desired, applied, capabilities, context.secrets);
    const paths = new Set(declared.map(({ path }) => path));
    const drift = driftReasons(applied, current, capabilities).filter(
      ({ path }) => !paths.has(path),
    );
    return [...declared, ...drift, ...states];
  }
  const drift = driftReasons(desired, current, capabilities);
  if (current.recordDigest === context.desiredDigest) return [...drift, ...states];
  const unknown: Reason = {
    kind: "drift",
    path: "",
    verdict: "replace",
    text: "what was applied is not known, and it is not what is declared",
  };
  return [
    ...(drift.length === 0
      ? [unknown]
      : drift.map((reason): Reason => ({ ...reason, verdict: "replace" }))),
    ...states,
  ];
}

function frame(
  context: PodContext,
  action: Action,
  reasons: readonly Reason[],
  steps: readonly Step[],
) {
  const { host, pod } = context;
  return {
    id: `${host}/${pod}`,
    host,
    pod,
    action,
    reasons,
    steps,
    after: [],
    origin: originOf(context),
  };
}

function target(desired: ResolvedPod, generation: number): RecordedGeneration {
  return { generation, spec: desired.spec, images: desired.images, defaults: DEFAULTS_VERSION };
}

/** HMACs of a generation that goes on with the secrets it has. */
function secretsOf(context: PodContext, generation: number): Pick<RecordedGeneration, "secrets"> {
  const secrets = recorded(context, generation)?.secrets;
  return secrets === undefined ? {} : { secrets };
}

function isRenamed(context: PodContext): boolean {
  const origin = originOf(context);
  return origin.owner !== context.declared.owner || origin.fleet !== context.declared.fleet;
}

function hasChangedSecret(context: PodContext): boolean {
  return [...(context.secrets?.values() ?? [])].some(({ state }) => state === "changed");
}

/** Whether the record on the host is not what it should be though the pod is. */
function needsRecord(context: PodContext, current: ObservedPod): boolean {
  const entry = recorded(context, current.generation);
  return (
    entry === undefined ||
    context.record?.current !== current.generation ||
    context.record.generations.length !== 1 ||
    context.desiredDigest !== generationDigest(entry)
  );
}

function lostReasons(context: PodContext, current: ObservedPod): readonly Reason[] {
  if (context.recordLost !== undefined) {
    return [
      {
        kind: "drift",
        path: "",
        verdict: "none",
        text: `its record ${context.recordLost}; it is written anew`,
      },
    ];
  }
  return needsRecord(context, current) && context.record?.current !== current.generation
    ? [
        {
          kind: "leftover",
          path: "",
          verdict: "none",
          text: "an apply was cut short before it was proven",
        },
      ]
    : [];
}

function leftoverReasons(stale: readonly ObservedPod[]): readonly Reason[] {
  return stale.map(({ generation }) => ({
    kind: "leftover",
    path: "",
    verdict: "none",
    text: `generation ${generation} is left of an apply that was cut short`,
  }));
}

function notesFor(
  context: PodContext,
  desired: ResolvedPod,
  current: ObservedPod | undefined,
): readonly string[] {
  const notes: string[] = [];
  for (const [path, { state, variable }] of context.secrets ?? []) {
    if (state === "not-compared") notes.push(`${path} not compared: ${variable} is not set here`);
  }
  if (current !== undefined && context.recordLost !== undefined) {
    const paths = uncomparedPaths(desired.spec, current);
    if (paths.length > 0)
      notes.push(`not compared, because its record ${context.recordLost}: ${paths.join(", ")}`);
  }
  if (desired.spec.replacement === "start-first") {
    for (const volume of writableVolumes(desired.spec)) {
      notes.push(`while it is replaced, two processes have volume ${volume} open`);
    }
  }
  if (
    Object.values(desired.spec.containers).some((each) =>
      Object.values(each.env ?? {}).some((value) => typeof value !== "string"),
    )
  ) {
    notes.push("secrets in env are kept by the engine in its own root-only database");
  }
  return notes;
}
