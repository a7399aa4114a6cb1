import type { CapabilityTable, EngineKind } from "../model/index.ts";

/** What the engines of a kind can do, whether or not a host has one; loads the adapter. */
export async function capabilityTable(kind: EngineKind): Promise<CapabilityTable> {
  switch (kind) {
    case "containerd":
      return (await import("../engines/containerd/index.ts")).CONTAINERD_CAPABILITIES;
    case "podman":
      return (await import("../engines/podman/index.ts")).podmanCapabilities("4.3");
    case "rkt":
      return (await import("../engines/rkt/index.ts")).RKT_CAPABILITIES.fly;
    case "sim":
      return (await import("../engines/sim/index.ts")).simCapabilities(false);
    default:
      return kind satisfies never;
  }
}
