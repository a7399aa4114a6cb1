import type { ObservedPod, PodIdentity, PodRecord, RecordedGeneration } from "../model/index.ts";
import type { ResolvedPod } from "./plan.ts";
import type { HostObservation, SecretComparison } from "./plan-input.ts";

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
  /** Its generations in the engine, oldest first. */
  readonly generations: readonly ObservedPod[];
  readonly secrets?: ReadonlyMap<string, SecretComparison>;
}

/** Whether any process of a generation may run. */
export function mayRun(pod: ObservedPod): boolean {
  return Object.values(pod.containers).some(
    ({ state }) => state === "running" || state === "paused" || state === "unknown",
  );
}

/** A number for a new generation: above all that were ever seen. */
export function nextGeneration(context: PodContext): number {
  const recorded = context.record?.generations.map(({ generation }) => generation) ?? [];
  const seen = context.generations.map(({ generation }) => generation);
  return Math.max(0, context.record?.current ?? 0, ...recorded, ...seen) + 1;
}

/** What the record says of a generation. */
export function recorded(
  context: PodContext,
  generation: number | undefined,
): RecordedGeneration | undefined {
  return context.record?.generations.find((each) => each.generation === generation);
}

/** Identity under which a pod's existing generations were made. */
export function originOf(context: PodContext): Omit<PodIdentity, "generation" | "pod"> {
  const last = context.generations.at(-1);
  if (last === undefined) return context.declared;
  return { owner: last.owner, fleet: last.fleet, host: last.host };
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
