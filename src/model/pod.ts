import * as z from "zod";
import { ContainerSpec } from "./container.ts";
import { PodReference } from "./dependency.ts";
import { field } from "./field.ts";
import { Name } from "./names.ts";
import { Network, Port, portKey } from "./network.ts";
import { RestartPolicy } from "./restart-policy.ts";
import { Rollout } from "./rollout.ts";
import { NoNul } from "./values.ts";
import { Volume } from "./volume.ts";

/** Those that are of a namespace: all others are the host's own. */
const Sysctl = z
  .string()
  .regex(
    /^(?:net(?:\.[a-z0-9_-]+)+|fs\.mqueue\.[a-z0-9_]+|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))$/,
    "must be one of net.*, of fs.mqueue.*, or of System V IPC such as kernel.shmmax: others are the host's own",
  );

/** The unit of placement and replacement: containers that share a network and live and die together. */
export const PodSpec = z.strictObject({
  containers: field(
    z
      .record(Name, ContainerSpec)
      .refine(
        (containers) => Object.keys(containers).length > 0,
        "must have at least one container",
      ),
    { description: "The pod's processes by name.", change: "replace" },
  ),
  volumes: field(z.record(Name, Volume), {
    description: "Volumes, by the name that mounts use.",
    change: "replace",
  }).optional(),
  network: field(Network, {
    description: "The network that its containers share.",
    change: "replace",
  }).optional(),
  ports: field(z.array(Port).readonly(), {
    description: "Ports published on the host; no two pods of a host may share one.",
    change: "replace",
    key: (port) => portKey(port as { host: number }),
  }).optional(),
  hostname: field(z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/), {
    description: "Host name in its containers. Without it: the pod's name.",
    change: "replace",
  }).optional(),
  sysctls: field(z.record(Sysctl, NoNul.min(1)), {
    description: "Kernel parameters of its namespaces.",
    change: "replace",
  }).optional(),
  restart: field(RestartPolicy, {
    description: "What happens when a process exits by itself.",
    change: "live",
  }).optional(),
  labels: field(z.record(z.string().min(1).max(256), z.string().max(1024)), {
    description: "Labels of your choice, to select pods by.",
    change: "live",
  }).optional(),
  dependsOn: field(z.array(PodReference).readonly(), {
    description:
      "Pods that must be healthy before this one is changed. A name may end in :started or :completed, to wait for that instead.",
    change: "live",
    set: true,
  }).optional(),
  replacement: field(z.enum(["stop-first", "start-first"]), {
    description:
      "Order of a replacement. Without it: stop-first if the pod holds anything exclusive, or start-first. start-first on a writable volume lets two processes have the data open.",
    change: "live",
  }).optional(),
  service: field(Name, { description: "Service that placed it.", change: "live" }).optional(),
  rollout: field(Rollout, {
    description: "How a change rolls out over the pods of the service.",
    change: "live",
  }).optional(),
});
/** See the schema of the same name. */
export type PodSpec = z.infer<typeof PodSpec>;
