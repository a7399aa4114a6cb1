import * as z from "zod";
import { field } from "./field.ts";
import { AbsolutePath } from "./names.ts";

/** containerd over its socket. */
export const ContainerdConfig = z.strictObject({
  kind: z.literal("containerd"),
  socket: field(AbsolutePath, {
    description: "Its socket.",
    unit: "path",
    default: "/run/containerd/containerd.sock",
  }).optional(),
  namespace: field(
    z
      .string()
      .regex(/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/)
      .max(76),
    {
      description: "Its namespace that pods are made in.",
      default: "stowage",
    },
  ).optional(),
  runtime: field(z.string().regex(/^[a-z0-9.-]+$/), {
    description: "Runtime that runs the processes.",
    default: "io.containerd.runc.v2",
  }).optional(),
  snapshotter: field(z.string().regex(/^[a-z0-9-]+$/), {
    description: "Snapshotter that holds the file systems.",
    default: "overlayfs",
  }).optional(),
});

/** podman by its command line; it needs no service. */
export const PodmanConfig = z.strictObject({
  kind: z.literal("podman"),
  program: field(AbsolutePath, {
    description: "Its program; else the podman on the host's PATH.",
    unit: "path",
  }).optional(),
  root: field(AbsolutePath, {
    description: "Directory of its containers and images; else podman's own choice.",
    unit: "path",
  }).optional(),
  runRoot: field(AbsolutePath, {
    description: "Directory of what a reboot ends; a store always has the one it was made with.",
    unit: "path",
  }).optional(),
  tmpDir: field(AbsolutePath, {
    description: "Directory of its locks and events, which a reboot ends as well.",
    unit: "path",
  }).optional(),
  networkConfigDir: field(AbsolutePath, {
    description: "Directory of its networks.",
    unit: "path",
  }).optional(),
  runtime: field(z.string().regex(/^(?:\/[^\0]+|[a-z0-9._-]+)$/), {
    description: "Runtime that runs the processes, by name or path; else podman's own choice.",
  }).optional(),
});

/** A simulated host and engine. */
export const SimConfig = z.strictObject({
  kind: z.literal("sim"),
  file: field(AbsolutePath, {
    description: "File that holds the host between runs; without it the host lives in memory.",
    unit: "path",
  }).optional(),
  latencyMs: field(z.int().min(0), {
    description: "Time that each call takes.",
    unit: "ms",
    default: 0,
  }).optional(),
  maxPods: field(z.int().min(0), { description: "Pods that the host can hold." }).optional(),
  runOnce: field(z.boolean(), {
    description: "Makes each start of an exited pod prepare a new one, as rkt's pods do.",
    default: false,
  }).optional(),
});

/** The engine of a host and how to reach it; `kind` is the one word that chooses it. */
export const EngineConfig = z.discriminatedUnion("kind", [
  ContainerdConfig,
  PodmanConfig,
  SimConfig,
]);
/** See the schema of the same name. */
export type EngineConfig = z.infer<typeof EngineConfig>;

/** The engines that Stowage can drive. */
export type EngineKind = EngineConfig["kind"];

/** Engine kinds in the order in which help and documents list them. */
export const ENGINE_KINDS: readonly EngineKind[] = ["containerd", "podman", "sim"];
