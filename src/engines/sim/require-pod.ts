import { StowageError } from "../../errors/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";
import type { MachineState, SimPod } from "./machine-state.ts";

/** A generation that must be there. */
export function requirePod(state: MachineState, identity: PodIdentity, verb: string): SimPod {
  const pod = state.pods[objectName(identity)];
  if (pod !== undefined) return pod;
  throw new StowageError(
    `Cannot ${verb} pod "${identity.pod}": the engine has no generation ${identity.generation} of it; prepare it first`,
    { code: "not_found", context: { ...identity } },
  );
}
