import { type Capability, type CapabilityTable, PodSpec } from "../../model/index.ts";

const NATIVE: Capability = { support: "native" };

/**
 * What containerd can do with each field of a pod: all of them but restarts, which its restart monitor
 * does not do as they are declared on every version.
 */
export const CONTAINERD_CAPABILITIES: CapabilityTable = {
  ...Object.fromEntries(Object.keys(PodSpec.shape).map((key) => [key, NATIVE])),
  "restart.policy": [
    { ...NATIVE, values: ["no"] },
    {
      support: "unsupported",
      reason:
        "containerd 1.6 restarts a container whatever its policy says, and every version kills one that is paused or only created",
      instead: 'the policy "no", with an apply that starts again what ended',
    },
  ],
};
