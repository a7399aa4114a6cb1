export type { CallHook, CallPhase, SimCall, SimFault } from "./faults.ts";
export { type OpenedSim, type OpenSimOptions, openSim } from "./open-sim.ts";
export { simCapabilities } from "./sim-capabilities.ts";
export { SimKilled } from "./sim-killed.ts";
export {
  type ContainerAlteration,
  SimMachine,
  type SimMachineOptions,
} from "./sim-machine.ts";
export { SimWorld } from "./sim-world.ts";
