import { StowageError } from "../../errors/index.ts";
import { objectName, type PodIdentity } from "../../model/index.ts";
import { viewHolding } from "./engine-view.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";

/** A generation that somebody outside names. */
export function findPod(state: MachineState, identity: PodIdentity): SimPod {
  const key = objectName(identity);
  const pod = viewHolding(state, key).pods[key];
  if (pod !== undefined) return pod;
  throw new StowageError(
    `Cannot find pod "${identity.pod}" on the simulated host: it is not there`,
    {
      code: "not_found",
    },
  );
}

/** A container that somebody outside names. */
export function findContainer(
  state: MachineState,
  identity: PodIdentity,
  name: string,
): SimContainer {
  const container = findPod(state, identity).containers[name];
  if (container !== undefined) return container;
  throw new StowageError(`Cannot find container "${name}" on the simulated host: it is not there`, {
    code: "not_found",
  });
}
