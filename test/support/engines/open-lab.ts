import type { ProvidedEngine } from "../../set-up/describe-with-engine.ts";
import type { RealEngine } from "../../set-up/engine-provision.ts";
import type { LabPlaces } from "../real-fleet.ts";
import { ContainerdLab } from "./containerd-lab.ts";
import type { EngineLab } from "./engine-lab.ts";
import { PodmanLab } from "./podman-lab.ts";
import { RktLab } from "./rkt-lab.ts";

/** A lab of each kind, with its objects in the fleet's folder where the engine allows that. */
const LABS: Readonly<Record<RealEngine, (address: string, places: LabPlaces) => EngineLab>> = {
  containerd: (address) => new ContainerdLab(address),
  podman: (address, { folder }) => new PodmanLab(address, `${folder}/podman`),
  rkt: (address, { folder, stateDir }) => new RktLab(address, `${folder}/rkt`, stateDir),
};

export function openLab(kind: RealEngine, engine: ProvidedEngine, places: LabPlaces): EngineLab {
  return LABS[kind](engine.address, places);
}
