import type { EngineConfig, KeptGeneration, ObservedPod, PodSpec } from "../model/index.ts";
import type { Step } from "./plan.ts";
import { mayRun, type PlacedPod, type PodContext } from "./pod-context.ts";

/** A generation that another one takes the place of. */
export interface OldGeneration {
  readonly pod: ObservedPod;
  /** Absent: it is in the declared engine. */
  readonly engine?: EngineConfig;
}

/** How an old generation goes. */
export interface Replaced {
  readonly old: OldGeneration;
  readonly stopFirst: boolean;
  /** The ports of the host go over in one instant, once the new one is proven. */
  readonly handsPortsOver?: boolean;
  /** Generations that stay in other engines, the old one among them if it is to. */
  readonly keep?: readonly KeptGeneration[];
}

/** Makes a generation and starts it, in place of an old one or where there was none. */
export function createSteps(
  spec: PodSpec,
  context: PodContext,
  generation: number,
  replaced?: Replaced,
): readonly Step[] {
  return [
    ...volumeSteps(spec, context),
    { kind: "prepare", generation },
    ...freshSteps(replaced, generation),
  ];
}

/** Brings a prepared generation into force and takes the old one away once it is proven. */
export function freshSteps(replaced: Replaced | undefined, generation: number): readonly Step[] {
  if (replaced === undefined) return [...startSteps(generation), commitStep(generation)];
  const { old, stopFirst, keep = [], handsPortsOver = false } = replaced;
  const running = mayRun(old.pod);
  const isHandedOver = handsPortsOver && running && !stopFirst;
  const isKept = keep.some((each) => each.generation === old.pod.generation);
  return [
    ...(running && stopFirst ? [stopStep(old)] : []),
    ...(isHandedOver ? asideSteps(generation) : startSteps(generation)),
    commitStep(generation, keep),
    ...(running && !stopFirst ? [stopStep(old)] : []),
    ...(isKept ? [] : [removeStep(old)]),
  ];
}

/** Starts a generation and waits until it is proven. */
export function startSteps(
  generation: number,
  engine?: EngineConfig,
  containers?: readonly string[],
): readonly Step[] {
  const at = engine === undefined ? {} : { engine };
  return [
    { kind: "start", generation, ...at, ...(containers === undefined ? {} : { containers }) },
    { kind: "wait-healthy", generation, ...at },
  ];
}

/** Starts a generation beside the one that has the ports, which it takes over once it is proven. */
function asideSteps(generation: number): readonly Step[] {
  return [
    { kind: "start", generation, aside: true },
    { kind: "wait-healthy", generation },
    { kind: "take-ports", generation },
  ];
}

/** Makes a generation the record's current one; those that are kept elsewhere stay in it. */
export function commitStep(generation: number, keep: readonly KeptGeneration[] = []): Step {
  return { kind: "commit", generation, ...(keep.length === 0 ? {} : { keep }) };
}

/** Removes generations that an apply which was interrupted left behind. */
export function sweepSteps(stale: readonly ObservedPod[]): readonly Step[] {
  return sweepPlaced(stale.map((pod) => ({ pod })));
}

/** Like {@link sweepSteps}, in whatever engine they are. */
export function sweepPlaced(stale: readonly OldGeneration[]): readonly Step[] {
  return stale.flatMap((each): Step[] => [
    ...(mayRun(each.pod) ? [stopStep(each)] : []),
    removeStep(each),
  ]);
}

/** Removes all of a pod. */
export function removeSteps(context: PodContext): readonly Step[] {
  const { generations, elsewhere } = context;
  return [...sweepSteps(generations), ...sweepPlaced(elsewhere), { kind: "forget" }];
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

/** Stops a generation in the engine that it is in. */
export function stopStep({ pod, engine }: OldGeneration): Step {
  return { kind: "stop", generation: pod.generation, ...(engine === undefined ? {} : { engine }) };
}

/** What a record notes of generations that are kept elsewhere. */
export function keptEntries(kept: readonly PlacedPod[]): readonly KeptGeneration[] {
  return kept.map(({ pod, engine }) => ({ generation: pod.generation, engine }));
}

function removeStep({ pod, engine }: OldGeneration): Step {
  const at = engine === undefined ? {} : { engine };
  return { kind: "remove", generation: pod.generation, ...at };
}
