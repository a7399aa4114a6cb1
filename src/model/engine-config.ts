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
    identity: true,
  }).optional(),
  namespace: field(
    z
      .string()
      .regex(/^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/)
      .max(76),
    {
      description: "Its namespace that pods are made in.",
      default: "stowage",
      identity: true,
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
  store: field(
    z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .max(32),
    {
      description: "One of several engines of the same simulated host, by a name of your own.",
      identity: true,
    },
  ).optional(),
});

/** The engine of a host and how to reach it; `kind` is the one word that chooses it. */
export const EngineConfig = z.discriminatedUnion("kind", [ContainerdConfig, SimConfig]);
/** See the schema of the same name. */
export type EngineConfig = z.infer<typeof EngineConfig>;

/** The engines that Stowage can drive. */
export type EngineKind = EngineConfig["kind"];

/** Engine kinds in the order in which help and documents list them. */
export const ENGINE_KINDS: readonly EngineKind[] = ["containerd", "sim"];
