import { type Capability, type CapabilityTable, PodSpec } from "../../model/index.ts";

const NATIVE: Capability = { support: "native", known: "spec only" };
const NEW_POD: Capability = { support: "native", change: "replace", known: "spec only" };

const NO_PLUGINS: Capability = {
  support: "unsupported",
  values: ["cni"],
  reason: "a simulated host has no CNI plugins",
  instead: "the network bridge, or a real host",
};

/** What the simulated engine can do: everything that is not the host's own; where a pod runs once, a restart is a new one, and nobody does it by itself. */
export function simCapabilities(runOnce: boolean): CapabilityTable {
  const fields = Object.keys(PodSpec.shape).map((key) => [key, NATIVE] as const);
  const table: CapabilityTable = {
    ...Object.fromEntries(fields),
    pull: NATIVE,
    "containers.*.image": { ...NATIVE, otherName: "live" },
    "network.mode": [NO_PLUGINS, NATIVE],
    "containers.*.health.whenUnhealthy": [
      { ...NATIVE, values: ["report"] },
      {
        support: "emulated",
        reason: "Stowage runs the probe, and restarts all containers of the pod",
        while: "stowage watch runs",
        known: "spec only",
      },
    ],
  };
  if (!runOnce) return table;
  return {
    ...table,
    "restart.policy": [
      { ...NATIVE, values: ["no"] },
      {
        support: "emulated",
        reason: "its pods run once, and it starts nothing again",
        while: "stowage watch runs",
        known: "spec only",
      },
    ],
    "containers.*.ulimits": NEW_POD,
    "containers.*.oomScoreAdj": NEW_POD,
    "containers.*.logging": NEW_POD,
    "containers.*.files": NEW_POD,
  };
}
