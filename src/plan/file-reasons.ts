import { capabilityOf, type ObservedPod, objectName } from "../model/index.ts";
import type { Reason } from "./plan.ts";
import type { FileDrift } from "./plan-input.ts";
import type { PodContext } from "./pod-context.ts";

/**
 * What somebody else changed of a generation's files. They are written again while nothing of the pod
 * runs, so that its processes read them again and no mount leads to what was there before.
 */
export function fileReasons(context: PodContext, pod: ObservedPod): readonly Reason[] {
  const { capabilities } = context.observation;
  return fileDrift(context, pod).map((drift) => {
    const { change } = capabilityOf(capabilities, "containers.*.files", {});
    return { kind: "drift", ...drift, verdict: change === "replace" ? "replace" : "restart" };
  });
}

/** What is wrong with the files of a generation. */
export function fileDrift(
  { observation: { files } }: Pick<PodContext, "observation">,
  pod: ObservedPod,
): readonly FileDrift[] {
  // most fleets have none
  if (files === undefined || files.drift.size === 0) return [];
  return files.drift.get(objectName(pod)) ?? [];
}
