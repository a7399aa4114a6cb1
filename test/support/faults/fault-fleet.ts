import type { Host } from "../../../src/host/index.ts";
import type { EngineLab } from "../engines/engine-lab.ts";
import { MachineFleet } from "../machine-fleet.ts";
import type { LabPlaces } from "../real-fleet.ts";
import type { FaultPoint } from "./fault.ts";
import { faultyHost } from "./faulty-host.ts";

/** A fleet on a host whose calls can go wrong. */
export class FaultFleet extends MachineFleet {
  readonly faults: FaultPoint;

  constructor(faults: FaultPoint, open: (places: LabPlaces) => EngineLab) {
    super(open);
    this.faults = faults;
  }

  protected override reached(host: Host): Host {
    return faultyHost(host, this.faults, this.folder);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.faults.arm();
    await super[Symbol.asyncDispose]();
  }
}
