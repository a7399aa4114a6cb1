import type { EngineConfig, ObservedPod, RecordedGeneration } from "../model/index.ts";
import { podsOnHost } from "./observed-pods.ts";
import type { HostObservation, PlanInput } from "./plan-input.ts";

/** The current generation of a declared pod, as it was applied and as it is. */
export interface AppliedPod {
  readonly host: string;
  readonly observation: HostObservation;
  readonly pod: ObservedPod;
  /** Absent: the declared one. */
  readonly engine?: EngineConfig;
  readonly applied: RecordedGeneration;
}

/** The current generation of each declared pod that was applied and is there. */
export function appliedPods(
  { manifest, options }: Pick<PlanInput, "manifest" | "options">,
  host: string,
  observation: HostObservation,
): readonly AppliedPod[] {
  const declared = manifest.hosts[host]?.pods ?? {};
  return podsOnHost(observation).flatMap(({ pod, engine }): readonly AppliedPod[] => {
    if (pod.owner !== manifest.id || pod.fleet !== manifest.name) return [];
    if (!Object.hasOwn(declared, pod.pod) || options.pods?.includes(pod.pod) === false) return [];
    const reading = observation.records.get(`${pod.owner}/${pod.fleet}/${pod.pod}`);
    const record = reading?.kind === "record" ? reading.record : undefined;
    if (record?.current !== pod.generation) return [];
    const applied = record.generations.find(({ generation }) => generation === pod.generation);
    if (applied === undefined) return [];
    return [{ host, observation, pod, applied, ...(engine === undefined ? {} : { engine }) }];
  });
}
