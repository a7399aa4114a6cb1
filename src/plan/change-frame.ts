import { DEFAULTS_VERSION, type RecordedGeneration } from "../model/index.ts";
import type { Action, PodChange, Reason, ResolvedPod, Step } from "./plan.ts";
import { originOf, type PodContext, recorded } from "./pod-context.ts";

/** What every change of a pod has. */
export function frame(
  context: PodContext,
  action: Action,
  reasons: readonly Reason[],
  steps: readonly Step[],
): Omit<PodChange, "interrupts" | "notes"> {
  const { host, pod } = context;
  const origin = originOf(context);
  return { id: `${host}/${pod}`, host, pod, action, reasons, steps, after: [], origin };
}

/** A generation as it is to be recorded. */
export function target(
  { observation }: PodContext,
  { spec, images }: ResolvedPod,
  generation: number,
): RecordedGeneration {
  return { generation, spec, images, defaults: DEFAULTS_VERSION, engine: observation.config };
}

/** A generation that exists, as it is to be recorded: it continues with the secrets that it has. */
export function keptTarget(
  context: PodContext,
  desired: ResolvedPod,
  generation: number,
): RecordedGeneration {
  const secrets = recorded(context, generation)?.secrets;
  const made = target(context, desired, generation);
  return secrets === undefined ? made : { ...made, secrets };
}

/** The generation that is gone back to when a change fails: only one that was proven. */
export function provenGeneration(
  context: PodContext,
  generation: number,
): RecordedGeneration | undefined {
  return context.record?.current === generation ? recorded(context, generation) : undefined;
}
