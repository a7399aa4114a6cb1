import { PUBLISHED_PORTS } from "../../engine/index.ts";
import type { Capability, CapabilityTable } from "../../model/index.ts";
import type { Flavor } from "./flavor.ts";

const NATIVE: Capability = { support: "native" };

/** What a recorded run of rkt's host flavour shows. */
const shown = (transcript: string): Capability => ({ ...NATIVE, known: { transcript } });

/** What of a declaration no engine has to do with: Stowage does it, the same way on each. */
const PLANNED: Capability = { support: "native", known: "spec only" };
const ORDER: Capability = {
  support: "emulated",
  reason: "each container is a pod of rkt's own; Stowage starts them in order",
  while: "Stowage starts the pod",
};
const OF_STOWAGE: CapabilityTable = {
  pull: [
    { ...PLANNED, values: ["controller", "never"] },
    {
      support: "unsupported",
      reason:
        "its fetch gives the same error for a missing tag and a wrong digest, and stores logins for the whole host",
      instead: "pull: controller",
    },
  ],
  labels: PLANNED,
  dependsOn: PLANNED,
  replacement: PLANNED,
  service: PLANNED,
  rollout: PLANNED,
  "containers.*.init": ORDER,
  "containers.*.dependsOn": ORDER,
  "containers.*.completeWithinMs": ORDER,
  "containers.*.health": {
    support: "emulated",
    reason: "rkt has no health checks; Stowage runs the probe",
    while: "stowage apply waits for the pod, and stowage watch runs",
  },
  "containers.*.health.whenUnhealthy": [
    { ...PLANNED, values: ["report"] },
    {
      support: "emulated",
      reason:
        "Stowage runs the probe, and replaces the containers of the pod by new ones, with new writable layers",
      while: "stowage watch runs",
    },
  ],
};

/** What only whoever stops a pod does. */
const STOPPING = { while: "Stowage stops the pod" } as const;

/** A pod of rkt's runs once, so that what comes into force with a new start is a new pod. */
const NEW_POD = { change: "replace" } as const;

const emulated = (reason: string, more: Partial<Capability> = {}): Capability => ({
  support: "emulated",
  reason,
  while: "the pod runs",
  ...more,
});

const unsupported = (reason: string, instead: string): Capability => ({
  support: "unsupported",
  reason,
  instead,
});

const BY_CGROUP = emulated(
  "by a cgroup that Stowage creates; rkt's own isolators are not enforced",
);

const OF_A_NAMESPACE = emulated(
  "by a network namespace that Stowage creates; rkt runs in it as in the host's",
);

const RESTARTS = emulated(
  "a pod of rkt's runs once, and rkt restarts nothing; after a reboot the unit that apply installs starts it",
  { while: "stowage watch runs", known: { transcript: "run-prepared-again" } },
);

/** What holds for both flavours; `known` is that of the host flavour, which only transcripts show. */
const BOTH: CapabilityTable = {
  ...OF_STOWAGE,
  containers: shown("list-running"),
  // a field that is not named below is not known to work
  "containers.*": unsupported("this adapter does not support it", "another engine"),
  "containers.*.image": {
    ...shown("list-running"),
    reason:
      "rkt stores an image under its name, so another name for the same image needs a new pod",
  },
  "containers.*.command": shown("user-num"),
  "containers.*.args": shown("exec-percent"),
  "containers.*.env": shown("enter-env"),
  "containers.*.workingDir": {
    ...shown("run-cli-volumes"),
    reason: "a directory that the image does not have is not created: the start fails",
  },
  "containers.*.user": shown("user-num"),
  "containers.*.mounts": shown("list-running"),
  // each is a volume of the host, mounted read-only
  "containers.*.files": { ...shown("run-cli-volumes"), ...NEW_POD },
  volumes: shown("run-cli-volumes"),
  "volumes.*.kind": [
    emulated("Stowage mounts it before the pod runs, and shows it to rkt as a directory", {
      values: ["tmpfs"],
    }),
    shown("run-cli-volumes"),
  ],
  "volumes.*.sizeBytes": emulated("Stowage mounts the volume"),
  network: OF_A_NAMESPACE,
  "network.mode": [{ ...shown("run-net-host"), values: ["host"] }, OF_A_NAMESPACE],
  ports: emulated(PUBLISHED_PORTS),
  "containers.*.resources": BY_CGROUP,
  "containers.*.ulimits": emulated(
    "set before rkt is run, by prlimit(1); for nofile, soft and hard must be the same",
    NEW_POD,
  ),
  "containers.*.ulimits.nofile.raisable": unsupported(
    "it raises the soft limit of open files to the hard one",
    "declare both the same",
  ),
  "containers.*.oomScoreAdj": emulated("set before rkt is run", NEW_POD),
  "containers.*.logging": emulated("output goes to Stowage's log writer, not to rkt's", NEW_POD),
  "containers.*.drain": emulated(
    "rkt has nothing that runs before a stop; Stowage does it",
    STOPPING,
  ),
  "containers.*.stopSignal": emulated(
    "Stowage signals the process; rkt knows SIGTERM only",
    STOPPING,
  ),
  "containers.*.stopGracePeriodMs": emulated("Stowage waits; rkt always waits 90 s", STOPPING),
  sysctls: unsupported("rkt sets none", "a setting of the host, in /etc/sysctl.d"),
  restart: RESTARTS,
  "restart.policy": [{ ...shown("run-prepared-again"), values: ["no"] }, RESTARTS],
  "containers.*.shmBytes": unsupported(
    "rkt cannot set the size of /dev/shm",
    "a tmpfs volume at another path",
  ),
  "containers.*.devices": unsupported(
    "rkt has no option for devices",
    "another engine, or a bind volume of the device's path",
  ),
};

const CHROOT = "fly is a chroot, which restricts nothing";

/** The conformance suite ran on the real rkt 1.30 with fly: docs/engines/rkt.md. */
function seenOnFly(table: CapabilityTable): CapabilityTable {
  const seen = (entry: Capability): Capability =>
    entry.known === "spec only" ? entry : { ...entry, known: "kernel" };
  return Object.fromEntries(
    Object.entries(table).map(([field, entries]) => [
      field,
      Array.isArray(entries) ? entries.map(seen) : seen(entries as Capability),
    ]),
  );
}

const FLY: CapabilityTable = seenOnFly({
  ...BOTH,
  hostname: emulated("by a UTS namespace that Stowage creates"),
  "containers.*.mounts[*].nested": unsupported(
    "fly mounts in no fixed order, and one mount may hide the other",
    "mount one of them elsewhere",
  ),
  "containers.*.additionalGroups": NATIVE,
  "containers.*.readOnlyRootFilesystem": [
    { ...NATIVE, values: [false] },
    unsupported("fly mounts the root file system writable", "another engine"),
  ],
  "containers.*.security": NATIVE,
  "containers.*.security.privileged": [
    { ...NATIVE, values: [true] },
    unsupported(CHROOT, "privileged: true, which is what fly does, or another engine"),
  ],
  "containers.*.security.capabilitiesAdd": unsupported(
    "fly gives every process all capabilities",
    "privileged: true, which declares that",
  ),
  "containers.*.security.capabilitiesDrop": unsupported(CHROOT, "another engine"),
  "containers.*.security.seccomp": [
    { ...NATIVE, values: ["unconfined"] },
    unsupported("fly filters no system calls", "another engine"),
  ],
  "containers.*.security.noNewPrivileges": [
    { ...NATIVE, values: [false] },
    emulated("set before rkt is run, by setpriv(1)"),
  ],
  "containers.*.security.unmaskPaths": [
    { ...NATIVE, values: [true] },
    unsupported(CHROOT, "another engine"),
  ],
});

/** For the host flavour there are transcripts of rkt, and no run of this adapter. */
const NOT_SEEN = "nobody has seen it work on rkt's host flavour";

const HOST: CapabilityTable = {
  ...BOTH,
  hostname: shown("help-run-prepared"),
  "network.mode": [
    { ...shown("run-net-host"), values: ["host"] },
    { ...unsupported(NOT_SEEN, "the flavour fly, or another engine"), values: ["bridge", "cni"] },
    OF_A_NAMESPACE,
  ],
  "containers.*.additionalGroups": unsupported(NOT_SEEN, "another engine"),
  "containers.*.readOnlyRootFilesystem": unsupported(NOT_SEEN, "another engine"),
  "containers.*.security": unsupported(NOT_SEEN, "another engine"),
  "containers.*.security.seccomp": [
    { ...shown("seccomp-off"), values: ["unconfined"] },
    emulated("by rkt's list of forbidden system calls: its list of allowed ones kills new images", {
      known: { transcript: "seccomp-isolator-defaultblacklist" },
    }),
  ],
};

/** What rkt can do with each field of a pod, by the flavour of its stage1. */
export const RKT_CAPABILITIES: Readonly<Record<Flavor, CapabilityTable>> = { fly: FLY, host: HOST };
