import * as z from "zod";
import { COMPLETE_WITHIN_MS, Condition } from "./dependency.ts";
import { Drain } from "./drain.ts";
import { field } from "./field.ts";
import { FileSpec } from "./file.ts";
import { isImageReference } from "./image-reference.ts";
import { Logging } from "./logging.ts";
import { AbsolutePath, Name, ProlongedPath } from "./names.ts";
import { Probe } from "./probe.ts";
import { Resources } from "./resources.ts";
import { SecretReference } from "./secret.ts";
import { Security } from "./security.ts";
import { SIGNAL_NAME } from "./signal.ts";
import { NoNul, waitMs } from "./values.ts";
import { Mount } from "./volume.ts";

/** What the kernel takes of one argument or variable, the end of its text included: MAX_ARG_STRLEN. */
export const ARGUMENT_BYTES_MAX = 131_072;

/** The runtimes' limit of numbers of users and groups. */
const ACCOUNT_NUMBER_MAX = 2 ** 31 - 1;

function isAccount(name: string): boolean {
  return !/^\d+$/.test(name) || Number(name) <= ACCOUNT_NUMBER_MAX;
}

const Group = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/)
  .refine(isAccount, `a number must be at most ${ACCOUNT_NUMBER_MAX}`);

const EnvName = z.string().regex(/^[^=\0]+$/, "must be a name without =");
const Signal = z.string().regex(SIGNAL_NAME, "must be the name of a signal such as SIGTERM");

/** Limits of a process as setrlimit(2) knows them. */
export const Ulimit = z.strictObject({
  soft: field(z.int().min(0), { description: "Soft limit: the one in force." }),
  hard: field(z.int().min(0), {
    description: "Hard limit: how far the process may raise the soft one.",
  }),
});

const UlimitName = z.enum([
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
]);

/** A device of the host given to a container. */
export const Device = z.strictObject({
  path: field(AbsolutePath, { description: "Device of the host.", unit: "path" }),
  containerPath: field(ProlongedPath, {
    description: "Path of the device in the container.",
    unit: "path",
  }).optional(),
  permissions: field(
    z
      .string()
      .regex(/^r?w?m?$/)
      .min(1),
    {
      description: "Allowed access: r (read), w (write), m (mknod).",
      default: "rwm",
    },
  ).optional(),
});

/** One process of a pod. */
export const ContainerSpec = z.strictObject({
  image: field(
    z
      .string()
      .refine(isImageReference, "must be an image reference such as ghcr.io/acme/shop:1.8.2"),
    {
      description: "Image as repository[:tag][@digest].",
      change: "replace",
    },
  ),
  command: field(z.array(NoNul).min(1).readonly(), {
    description: "Replaces the image's entry point; the image's command is dropped with it.",
    change: "replace",
  }).optional(),
  args: field(z.array(NoNul).readonly(), {
    description: "Arguments after the entry point, in place of the image's command.",
    change: "replace",
  }).optional(),
  env: field(z.record(EnvName, z.union([NoNul, SecretReference])), {
    description: "Environment, added to the image's; a value may be a secret.",
    change: "replace",
  }).optional(),
  workingDir: field(AbsolutePath, {
    description: "Working directory of the process.",
    change: "replace",
    unit: "path",
  }).optional(),
  user: field(
    z
      .string()
      .regex(
        /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/,
        "must be user, uid, user:group or uid:gid",
      )
      .refine(
        (user) => user.split(":").every(isAccount),
        `a number must be at most ${ACCOUNT_NUMBER_MAX}`,
      ),
    {
      description: "User and group as name or number; names are looked up in the image.",
      change: "replace",
    },
  ).optional(),
  additionalGroups: field(z.array(Group).readonly(), {
    description: "Additional groups, by name or number.",
    change: "replace",
    set: true,
  }).optional(),
  mounts: field(z.array(Mount).readonly(), {
    description: "Where the pod's volumes are mounted.",
    change: "replace",
    key: (mount) => String(mount["path"]),
  }).optional(),
  files: field(z.record(ProlongedPath, FileSpec), {
    description: "Files in the container, by path; it cannot write to them.",
    change: "replace",
  }).optional(),
  readOnlyRootFilesystem: field(z.boolean(), {
    description: "Makes the image's file system read-only.",
    change: "replace",
    default: false,
  }).optional(),
  shmBytes: field(z.int().positive(), {
    description: "Size of /dev/shm.",
    change: "replace",
    unit: "bytes",
    default: 64 * 1024 * 1024,
  }).optional(),
  resources: field(Resources, { description: "Limits.", change: "live" }).optional(),
  ulimits: field(z.partialRecord(UlimitName, Ulimit), {
    description: "Resource limits of the process, as in setrlimit(2).",
    change: "restart",
  }).optional(),
  oomScoreAdj: field(z.int().min(-1000).max(1000), {
    description: "How likely the kernel is to kill it when the host runs out of memory.",
    change: "restart",
  }).optional(),
  security: field(Security, {
    description: "Privileges added to the default profile, or removed from it.",
    change: "replace",
  }).optional(),
  devices: field(z.array(Device).readonly(), {
    description: "Devices of the host.",
    change: "replace",
    key: (device) => String(device["containerPath"] ?? device["path"]),
  }).optional(),
  init: field(z.boolean(), {
    description:
      "Init container: must exit with code 0 before the containers that are not init containers start. Several run one after another.",
    change: "replace",
    default: false,
  }).optional(),
  dependsOn: field(z.record(Name, Condition), {
    description:
      "Containers of the pod that it waits for before it starts, and what for: started, healthy, or completed (exited with code 0).",
    change: "live",
  }).optional(),
  completeWithinMs: field(waitMs(100), {
    description: "Time within which it must exit, if others wait for that.",
    change: "live",
    unit: "ms",
    default: COMPLETE_WITHIN_MS,
  }).optional(),
  health: field(Probe, {
    description: "Health probe.",
    change: "live",
  }).optional(),
  logging: field(Logging, { description: "Where its output goes.", change: "restart" }).optional(),
  drain: field(Drain, {
    description: "What is done before it is asked to stop, if it runs as it should.",
    change: "live",
  }).optional(),
  stopSignal: field(Signal, {
    description: "Signal that asks it to stop. Without one: the image's, or SIGTERM.",
    change: "live",
  }).optional(),
  stopGracePeriodMs: field(waitMs(0), {
    description: "Time between that signal and SIGKILL.",
    change: "live",
    unit: "ms",
    default: 10_000,
  }).optional(),
});
/** See the schema of the same name. */
export type ContainerSpec = z.infer<typeof ContainerSpec>;
