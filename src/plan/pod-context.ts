import {
  type EngineConfig,
  isSameEngine,
  type ObservedPod,
  type PodIdentity,
  type PodRecord,
  type PodSpec,
  type RecordedGeneration,
} from "../model/index.ts";
import type { ResolvedPod } from "./plan.ts";
import type { HostObservation, SecretComparison } from "./plan-input.ts";

/** A generation in another engine of the host than the declared one. */
export interface PlacedPod {
  readonly engine: EngineConfig;
  readonly pod: ObservedPod;
}

/** Everything about one pod of one host that its change is made of. */
export interface PodContext {
  readonly host: string;
  readonly pod: string;
  readonly declared: Omit<PodIdentity, "generation" | "pod">;
  readonly observation: HostObservation;
  /** Absent: the pod is to go. */
  readonly desired?: ResolvedPod;
  readonly desiredDigest?: string;
  readonly record?: PodRecord;
  /** Why there is no record though there should be one. */
  readonly recordLost?: string;
  /** Its generations in the declared engine, oldest first. */
  readonly generations: readonly ObservedPod[];
  /** Those in other engines of the host, oldest first. */
  readonly elsewhere: readonly PlacedPod[];
  /** Whether generations that lie in other engines on purpose are to stay there. */
  readonly keepOld: boolean;
  /** See {@link PlanOptions.ignoreFields}. */
  readonly ignoreFields?: readonly string[];
  readonly secrets?: ReadonlyMap<string, SecretComparison>;
  /** Whom images have their processes run as, by container, where that is known. */
  readonly imageUsers?: Readonly<Record<string, string>>;
}

/** Whether any process of a generation may run. */
export function mayRun(pod: ObservedPod): boolean {
  return Object.values(pod.containers).some(
    ({ state }) => state === "running" || state === "paused" || state === "unknown",
  );
}

/** Its generations in whatever engine. */
export function podsOf({ generations, elsewhere }: PodContext): readonly ObservedPod[] {
  return elsewhere.length === 0 ? generations : [...generations, ...elsewhere.map((e) => e.pod)];
}

/** A number for a new generation: above all that were ever seen. */
export function nextGeneration(context: PodContext): number {
  const recorded = context.record?.generations.map(({ generation }) => generation) ?? [];
  const seen = podsOf(context).map(({ generation }) => generation);
  return Math.max(0, context.record?.current ?? 0, ...recorded, ...seen) + 1;
}

/** What the record says of a generation. */
export function recorded(
  context: PodContext,
  generation: number | undefined,
): RecordedGeneration | undefined {
  return context.record?.generations.find((each) => each.generation === generation);
}

/** What was last applied to a pod, where its record says it. */
export function appliedSpec(context: PodContext | undefined): PodSpec | undefined {
  if (context === undefined) return undefined;
  const { record } = context;
  return recorded(context, record?.current ?? currentGeneration(context)?.generation)?.spec;
}

/** Identity of the generation that counts as the pod's own; or the declared one. */
export function ownIdentity(context: PodContext): Omit<PodIdentity, "generation" | "pod"> {
  const own =
    movedFrom(context)?.pod ?? currentGeneration(context) ?? context.elsewhere.at(-1)?.pod;
  return own === undefined ? context.declared : identityPart(own);
}

/**
 * Identity under which a pod's existing generations were made. Of a renaming that was interrupted there are some
 * of both names: then the former one, as the declared one is known anyway.
 */
export function originOf(context: PodContext): Omit<PodIdentity, "generation" | "pod"> {
  const former = podsOf(context).findLast((pod) => !isOfDeclared(context, pod));
  return former === undefined ? ownIdentity(context) : identityPart(former);
}

/** Whether a generation was made under the name and owner that the fleet has now. */
export function isOfDeclared({ declared }: PodContext, pod: ObservedPod): boolean {
  return pod.owner === declared.owner && pod.fleet === declared.fleet;
}

function identityPart({ owner, fleet, host }: ObservedPod) {
  return { owner, fleet, host };
}

/** The generation that counts as the pod's own: the record's, else the one that runs, else the newest. */
export function currentGeneration(context: PodContext): ObservedPod | undefined {
  const { generations, record } = context;
  return (
    generations.find(({ generation }) => generation === record?.current) ??
    generations.find(mayRun) ??
    generations.at(-1)
  );
}

/**
 * The generation in another engine that counts as the pod's own, so that the pod has to move;
 * undefined when the pod's own one is in the declared engine, or there is none.
 */
export function movedFrom(context: PodContext): PlacedPod | undefined {
  const { record, generations, elsewhere } = context;
  if (elsewhere.length === 0) return undefined;
  const loose = elsewhere.filter((each) => !isKept(context, each));
  const proven = loose.find(({ pod }) => pod.generation === record?.current);
  if (proven !== undefined) return proven;
  if (generations.some(({ generation }) => generation === record?.current)) return undefined;
  if (generations.some(mayRun)) return undefined;
  return loose.find(({ pod }) => mayRun(pod)) ?? loose.at(-1);
}

/** Whether the record says that a generation lies in another engine on purpose. */
export function isKept({ record }: PodContext, { engine, pod }: PlacedPod): boolean {
  const kept = record?.kept ?? [];
  return kept.some(
    (each) => each.generation === pod.generation && isSameEngine(each.engine, engine),
  );
}

/** What is to lie in other engines when the change is done. */
export function keptElsewhere(context: PodContext): readonly PlacedPod[] {
  if (!context.keepOld || context.desired === undefined) return [];
  const old = movedFrom(context);
  return context.elsewhere.filter(
    (each) => isKept(context, each) || (each === old && each.pod.state !== "incomplete"),
  );
}

/** The engine that was lost with the generation that the record calls current, if that is so. */
export function lostWith(context: PodContext): EngineConfig | undefined {
  const { record, observation } = context;
  const current = recorded(context, record?.current);
  if (current === undefined) return undefined;
  if (podsOf(context).some(({ generation }) => generation === current.generation)) return undefined;
  const { engine } = current;
  const lost = observation.others.filter(({ kind }) => kind !== "observed");
  // an old record does not say where it was
  if (engine === undefined) return lost[0]?.config;
  return lost.find(({ config }) => isSameEngine(config, engine))?.config;
}
