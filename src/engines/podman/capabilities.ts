import { type Capability, type CapabilityTable, PodSpec } from "../../model/index.ts";

const NATIVE: Capability = { support: "native" };
const NEW_POD: Capability = { support: "native", change: "replace" };

/** What podman does with an option that it does not let change of a container that is there. */
const FIXED = {
  "containers.*.ulimits": NEW_POD,
  "containers.*.oomScoreAdj": NEW_POD,
  "containers.*.logging": NEW_POD,
};

/**
 * What podman can do with each field of a pod, by its version.
 *
 * @param version as podman says it, such as 4.3.1
 */
export function podmanCapabilities(version: string): CapabilityTable {
  const major = Number.parseInt(version, 10);
  return {
    ...Object.fromEntries(Object.keys(PodSpec.shape).map((key) => [key, NATIVE])),
    ...FIXED,
    "containers.*.logging.maxBytes": SIZE,
    "containers.*.logging.maxFiles": SIZE,
    ...(major >= 5 ? {} : { "containers.*.resources": OLD_LIMITS }),
    restart: { support: "native", reason: RESTARTS, change: "replace" },
  };
}

const SIZE: Capability = {
  support: "emulated",
  reason:
    "podman keeps one log file, which gets the room of all of them; when it is full it is begun anew, and older lines are gone at once",
  change: "replace",
};

const OLD_LIMITS: Capability = {
  support: "emulated",
  reason:
    "podman before 5.0 forgets a limit that was changed when a container starts anew: Stowage sets it again when it starts one, and the next apply where podman did by itself",
};

const RESTARTS =
  "podman starts a container again at once, without a pause between tries; after a reboot nothing runs until the next apply";
