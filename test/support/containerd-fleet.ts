import { ContainerdLab } from "./engines/containerd-lab.ts";
import { RealFleet } from "./real-fleet.ts";

/** A fleet of one host on a real containerd, in a namespace and in directories of its own. */
export class ContainerdFleet extends RealFleet<ContainerdLab> {
  constructor(address: string) {
    super(() => [new ContainerdLab(address)]);
  }

  get namespace(): string {
    return this.labs[0].namespace;
  }

  ctr(...args: readonly string[]): string {
    return this.labs[0].ctr(...args);
  }
}
