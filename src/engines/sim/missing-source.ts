import type { PodSpec } from "../../model/index.ts";
import { exists, followLinks } from "./machine-files.ts";
import type { MachineState } from "./machine-state.ts";

/** A path of the host that a pod sees and that is not there. */
export function missingSource(state: MachineState, { volumes }: PodSpec): string | undefined {
  for (const volume of Object.values(volumes ?? {})) {
    if (volume.kind === "bind" && !exists(state, followLinks(state, volume.path))) {
      return volume.path;
    }
  }
  return undefined;
}
