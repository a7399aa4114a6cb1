import * as z from "zod";
import { field } from "./field.ts";
import { AbsolutePath } from "./names.ts";

/** Bytes that the kernel takes of a socket's path. */
const SOCKET_BYTES_MAX = 107;
const SocketPath = AbsolutePath.refine(
  (path) => Buffer.byteLength(path) <= SOCKET_BYTES_MAX,
  `must have at most ${SOCKET_BYTES_MAX} bytes, as the path of a socket`,
);

/** containerd over its socket. */
export const ContainerdConfig = z.strictObject({
  kind: z.literal("containerd"),
  socket: field(SocketPath, {
    description: "Its socket.",
    unit: "path",
    default: "/run/containerd/containerd.sock",
    identity: true,
  }).optional(),
  namespace: field(
    z
      .string()
      .regex(/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/)
      .max(76),
    {
      description: "containerd namespace of the pods.",
      default: "stowage",
      identity: true,
    },
  ).optional(),
  runtime: field(z.string().regex(/^[a-z0-9.-]+$/), {
    description: "Runtime that runs the processes.",
    default: "io.containerd.runc.v2",
  }).optional(),
  snapshotter: field(z.string().regex(/^[a-z0-9-]+$/), {
    description: "Snapshotter for the containers' file systems.",
    default: "overlayfs",
  }).optional(),
});

/** podman by its command line; it needs no service. */
export const PodmanConfig = z.strictObject({
  kind: z.literal("podman"),
  program: field(AbsolutePath, {
    description: "The podman program. Without it: podman on the host's PATH.",
    unit: "path",
  }).optional(),
  root: field(AbsolutePath, {
    description: "Directory of its containers and images. Without it: podman's own.",
    unit: "path",
    identity: true,
  }).optional(),
  runRoot: field(AbsolutePath, {
    description:
      "Directory of state that a reboot clears. A store must keep the one that it was created with.",
    unit: "path",
  }).optional(),
  tmpDir: field(AbsolutePath, {
    description: "Directory of its locks and events, which a reboot clears too.",
    unit: "path",
  }).optional(),
  networkConfigDir: field(AbsolutePath, {
    description: "Directory of its networks.",
    unit: "path",
  }).optional(),
  runtime: field(z.string().regex(/^(?:\/[^\0]+|[a-z0-9._-]+)$/), {
    description: "Runtime that runs the processes, by name or path. Without it: podman's own.",
  }).optional(),
});

/** rkt by its command line. */
export const RktConfig = z.strictObject({
  kind: z.literal("rkt"),
  program: field(z.string().min(1).max(4096), {
    description: "The rkt program, as a name on PATH or an absolute path.",
    default: "rkt",
  }).optional(),
  dir: field(AbsolutePath, {
    description: "Its data directory.",
    unit: "path",
    default: "/var/lib/rkt",
    identity: true,
  }).optional(),
  localConfig: field(AbsolutePath, {
    description: "Directory of its local configuration.",
    unit: "path",
    default: "/etc/rkt",
  }).optional(),
  systemConfig: field(AbsolutePath, {
    description: "Directory of its system configuration.",
    unit: "path",
    default: "/usr/lib/rkt",
  }).optional(),
  stage1: field(
    z
      .string()
      .regex(
        /^[a-z0-9./-]*stage1-(?:fly|host|coreos|src):[A-Za-z0-9.+-]+$/,
        "must be the name and version of a stage1 image such as coreos.com/rkt/stage1-fly:1.30.0",
      ),
    {
      description:
        "Installed stage1 image that isolates its pods: fly is a chroot, the others are the host flavour.",
      default: "coreos.com/rkt/stage1-fly:1.30.0",
    },
  ).optional(),
});

/** A simulated host and engine. */
export const SimConfig = z.strictObject({
  kind: z.literal("sim"),
  file: field(AbsolutePath, {
    description:
      "File that keeps the host between runs. Without it the host exists in memory only.",
    unit: "path",
  }).optional(),
  latencyMs: field(z.int().min(0), {
    description: "Time that each call takes.",
    unit: "ms",
    default: 0,
  }).optional(),
  maxPods: field(z.int().min(0), { description: "Most pods that the host can hold." }).optional(),
  runOnce: field(z.boolean(), {
    description: "Makes each start of an exited pod prepare a new one, as rkt's pods do.",
    default: false,
  }).optional(),
  store: field(
    z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .max(32),
    {
      description: "Name of your choice, for several engines on the same simulated host.",
      identity: true,
    },
  ).optional(),
});

/** The engine of a host and how to reach it; `kind` is the one word that chooses it. */
export const EngineConfig = z.discriminatedUnion("kind", [
  ContainerdConfig,
  PodmanConfig,
  RktConfig,
  SimConfig,
]);
/** See the schema of the same name. */
export type EngineConfig = z.infer<typeof EngineConfig>;

/** The engines that Stowage can drive. */
export type EngineKind = EngineConfig["kind"];

/** Engine kinds in the order in which help and documents list them. */
export const ENGINE_KINDS: readonly EngineKind[] = ["containerd", "podman", "rkt", "sim"];

/** Whether each user of a machine has an engine of this kind of their own: others are a daemon or a store for all. */
export function isOfEachUser({ kind }: EngineConfig): boolean {
  return kind === "podman";
}
