import type { ObservedPod, PodSpec } from "../model/index.ts";
import type { Step } from "./plan.ts";
import { mayRun, type PodContext } from "./pod-context.ts";

/** Makes a generation and starts it, in place of an old one or where there was none. */
export function createSteps(
  spec: PodSpec,
  context: PodContext,
  generation: number,
  replaced?: { readonly old: ObservedPod; readonly stopFirst: boolean },
): readonly Step[] {
  return [
    ...volumeSteps(spec, context),
    { kind: "prepare", generation },
    ...freshSteps(replaced?.old, replaced?.stopFirst ?? false, generation),
  ];
}

/** Brings a prepared generation into force and takes the old one away once it is proven. */
export function freshSteps(
  old: ObservedPod | undefined,
  stopFirst: boolean,
  generation: number,
): readonly Step[] {
  const running = old !== undefined && mayRun(old);
  return [
    ...(running && stopFirst ? [stop(old)] : []),
    ...startSteps(generation),
    { kind: "commit", generation },
    ...(running && !stopFirst ? [stop(old)] : []),
    ...(old === undefined ? [] : [{ kind: "remove", generation: old.generation } as const]),
  ];
}

/** Starts a generation and waits until it is proven. */
export function startSteps(generation: number): readonly Step[] {
  return [
    { kind: "start", generation },
    { kind: "wait-healthy", generation },
  ];
}

/** Takes away generations that an apply which was cut short left behind. */
export function sweepSteps(stale: readonly ObservedPod[]): readonly Step[] {
  return stale.flatMap((each): Step[] => [
    ...(mayRun(each) ? [stop(each)] : []),
    { kind: "remove", generation: each.generation },
  ]);
}

/** Takes away all of a pod. */
export function removeSteps(context: PodContext): readonly Step[] {
  return [...sweepSteps(context.generations), { kind: "forget" }];
}

function volumeSteps(spec: PodSpec, context: PodContext): readonly Step[] {
  return Object.values(spec.volumes ?? {}).flatMap((volume): Step[] => {
    if (volume.kind !== "named" || context.observation.volumes.has(volume.name)) return [];
    const { name, mode, uid, gid } = volume;
    return [
      {
        kind: "create-volume",
        volume: name,
        mode: mode ?? "0755",
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
      },
    ];
  });
}

function stop(pod: ObservedPod): Step {
  return { kind: "stop", generation: pod.generation };
}
