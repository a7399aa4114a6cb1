import type { EngineConfig, ObservedPod } from "../model/index.ts";
import type { HostObservation, OtherEngine } from "./plan-input.ts";

/** An engine beside the declared one that could be asked. */
export type SeenEngine = Extract<OtherEngine, { kind: "observed" }>;

/** The engines beside the declared one that could be asked. */
export function seenEngines({ others }: HostObservation): readonly SeenEngine[] {
  return others.filter((each) => each.kind === "observed");
}

/** Every pod of a host, of whatever fleet, with the engine that it is in where that is not the declared one. */
export function podsOnHost(
  observation: HostObservation,
): readonly { readonly pod: ObservedPod; readonly engine?: EngineConfig }[] {
  return [
    ...observation.engine.pods.map((pod) => ({ pod })),
    ...seenEngines(observation).flatMap(({ config, engine }) =>
      engine.pods.map((pod) => ({ pod, engine: config })),
    ),
  ];
}
