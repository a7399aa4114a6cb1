import { PUBLISHED_PORTS } from "../../engine/index.ts";
import { type Capability, type CapabilityTable, PodSpec } from "../../model/index.ts";

/** What tests read back from the kernel, or saw the process do. */
const SEEN: Capability = { support: "native", known: "kernel" };
/** What is in the spec that the runtime gets; its effect was not checked. */
const IN_SPEC: Capability = { support: "native", known: "spec only" };
/** What is not the engine's part at all: Stowage plans by it. */
const PLANNED: Capability = { support: "native", known: "spec only" };

const ORDER: Capability = {
  support: "emulated",
  reason: "containerd starts each container on its own; Stowage starts them in order",
  while: "Stowage starts the pod",
  known: "kernel",
};

const OF_STOWAGE: Capability = {
  support: "emulated",
  reason:
    "containerd has no networks; Stowage creates interfaces, addresses and rules, and runs CNI plugins",
  while: "the pod runs",
  known: "kernel",
};
const PUBLISHED: Capability = {
  ...OF_STOWAGE,
  reason: PUBLISHED_PORTS,
};

const RESTARTS: Capability = {
  support: "emulated",
  reason:
    "containerd's own restarts are not used: 1.6 restarts a container whatever its policy says, every version kills one that is paused or only created, and none can tell a manual stop from an exit; after a reboot the unit that apply installs starts it",
  while: "stowage watch runs",
  known: "kernel",
};

/** Fields of a container that are only known to be in the spec. */
const UNSEEN = [
  "shmBytes",
  "resources.cpuset",
  "resources.memoryReservationBytes",
  "resources.memorySwapBytes",
  "security.unmaskPaths",
];

/**
 * What containerd can do with each field of a pod: all of them but restarts, which its restart monitor
 * does not do as they are declared, and Stowage therefore never asks of it.
 */
export const CONTAINERD_CAPABILITIES: CapabilityTable = {
  ...Object.fromEntries(Object.keys(PodSpec.shape).map((key) => [key, PLANNED])),
  pull: [
    { ...PLANNED, values: ["controller", "never"] },
    {
      support: "emulated",
      reason:
        "by the daemon's transfer service from 2.0 on, before that by ctr, in a temporary namespace",
      while: "Stowage brings the image",
      known: "kernel",
    },
  ],
  containers: SEEN,
  "containers.*.image": { ...SEEN, otherName: "live" },
  volumes: SEEN,
  network: OF_STOWAGE,
  "network.mode": [{ ...SEEN, values: ["none", "host"] }, OF_STOWAGE],
  ports: PUBLISHED,
  hostname: SEEN,
  sysctls: IN_SPEC,
  ...Object.fromEntries(UNSEEN.map((field) => [`containers.*.${field}`, IN_SPEC])),
  "containers.*.health": {
    support: "emulated",
    reason: "containerd has no health checks; Stowage runs the probe",
    while: "stowage apply waits for the pod, and stowage watch runs",
    known: "kernel",
  },
  "containers.*.health.whenUnhealthy": [
    { ...PLANNED, values: ["report"] },
    {
      support: "emulated",
      reason: "Stowage runs the probe, and restarts all containers of the pod",
      while: "stowage watch runs",
      known: "kernel",
    },
  ],
  "containers.*.drain": {
    support: "emulated",
    reason: "containerd has nothing that runs before a stop; Stowage does it",
    while: "Stowage stops the pod",
    known: "kernel",
  },
  "containers.*.init": ORDER,
  "containers.*.dependsOn": ORDER,
  "containers.*.completeWithinMs": ORDER,
  "restart.policy": [{ ...PLANNED, values: ["no"] }, RESTARTS],
  "restart.maxRetries": RESTARTS,
};
