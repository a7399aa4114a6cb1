import { PUBLISHED_PORTS } from "../../engine/index.ts";
import { type Capability, type CapabilityTable, PodSpec } from "../../model/index.ts";

/** What tests read back from the kernel, or saw the process do, on 4.3. */
const SEEN: Capability = { support: "native", known: "kernel" };
/** What podman is given; its effect was not checked. */
const TOLD: Capability = { support: "native", known: "spec only" };
const NEW_POD: Capability = { ...SEEN, change: "replace" };

/** Fields of a container that podman is only known to be given. */
const UNSEEN = ["shmBytes", "resources.cpuset", "resources.memoryReservationBytes"];

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
 * @param facts.isRoot whether it runs as root
 * @param facts.canLimit whether it does, or runs where ordinary users may limit what they run
 */
export function podmanCapabilities(
  version: string,
  { isRoot, canLimit } = { isRoot: true, canLimit: true },
): CapabilityTable {
  const major = Number.parseInt(version, 10);
  return {
    ...Object.fromEntries(Object.keys(PodSpec.shape).map((key) => [key, TOLD])),
    pull: SEEN,
    containers: SEEN,
    "containers.*.image": { ...SEEN, otherName: "live" },
    volumes: SEEN,
    network: OF_STOWAGE,
    "network.mode": [...(isRoot ? [] : [NO_BRIDGES]), OWN_NETWORKS, OF_STOWAGE],
    ports: PUBLISHED,
    hostname: SEEN,
    ...Object.fromEntries(UNSEEN.map((field) => [`containers.*.${field}`, TOLD])),
    "containers.*.workingDir": { ...SEEN, reason: NO_DIRECTORY },
    "containers.*.drain": DRAIN,
    "containers.*.health": HEALTH,
    "containers.*.health.whenUnhealthy": [{ ...TOLD, values: ["report"] }, UNHEALTHY],
    ...FIXED,
    "containers.*.init": { ...ORDER, change: "replace" },
    "containers.*.dependsOn": { ...ORDER, change: "replace" },
    "containers.*.completeWithinMs": ORDER,
    "containers.*.logging.maxBytes": SIZE,
    "containers.*.logging.maxFiles": SIZE,
    ...(major >= 5 ? {} : { "containers.*.resources": OLD_LIMITS }),
    ...(canLimit ? {} : { "containers.*.resources": NO_LIMITS }),
    restart: { ...SEEN, reason: RESTARTS, change: "replace" },
  };
}

const NO_DIRECTORY = "a directory that the image does not have is not created: the start fails";

const SIZE: Capability = {
  support: "emulated",
  reason:
    "podman keeps one log file, with the size of all of them together; when it is full podman starts it again, and all older lines are lost",
  while: "the pod runs",
  known: "kernel",
  change: "replace",
};

const OLD_LIMITS: Capability = {
  support: "emulated",
  reason:
    "podman before 5.0 forgets a changed limit when a container is started again: Stowage sets it again when it starts the container, and in the next apply if podman started it",
  while: "the container is started by Stowage",
  known: "kernel",
};

const NO_LIMITS: Capability = {
  support: "unsupported",
  reason: "podman without root ignores limits on cgroups version 1",
  instead: "podman as root, or a host with cgroups version 2",
  known: "kernel",
};

const OWN_NETWORKS: Capability = { ...SEEN, values: ["none", "host"] };

const OF_STOWAGE: Capability = {
  support: "emulated",
  reason:
    "podman's own networks are not used: Stowage creates interfaces, addresses and rules, as for all engines, and runs CNI plugins",
  while: "the pod runs",
  known: "kernel",
};

const PUBLISHED: Capability = {
  ...OF_STOWAGE,
  reason: PUBLISHED_PORTS,
};

const NO_BRIDGES: Capability = {
  support: "unsupported",
  values: ["bridge", "cni"],
  reason: "a network needs interfaces and rules on the host, which only root can create",
  instead: "podman as root, or the network host",
};

const ORDER: Capability = {
  support: "emulated",
  reason:
    "Stowage starts them in order: podman's own init containers have no deadline, and podman's restarts do not wait; in a pod with a container that runs to completion podman restarts nothing",
  while: "Stowage starts the pod",
  known: "kernel",
};

const HEALTH: Capability = {
  support: "emulated",
  reason: "podman runs health checks only under systemd; Stowage runs the probe",
  while: "stowage apply waits for the pod, and stowage watch runs",
  known: "kernel",
};

const DRAIN: Capability = {
  support: "emulated",
  reason: "podman has nothing that runs before a stop; Stowage does it",
  while: "Stowage stops the pod",
  known: "kernel",
};

const UNHEALTHY: Capability = {
  support: "emulated",
  reason: "Stowage runs the probe, and restarts all containers of the pod",
  while: "stowage watch runs",
  known: "kernel",
};

const RESTARTS =
  "podman restarts a container at once, without a pause between tries; after a reboot the unit that apply installs starts it";
