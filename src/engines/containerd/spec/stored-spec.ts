import * as z from "zod";
import type { ContainerSpec, PodSpec } from "../../../model/index.ts";
import { declaredNotes } from "./build-spec.ts";
import { NOTES_ANNOTATION, type Notes, parseNotes, writeNotes } from "./notes.ts";
import { toOciResources } from "./resource-limits.ts";
import { toRlimits } from "./rlimits.ts";

const Strings = z.array(z.string());
const Numbers = z.number();

const StoredSpec = z.looseObject({
  process: z.looseObject({
    user: z.looseObject({ uid: Numbers, gid: Numbers }),
    args: Strings,
    env: Strings.default([]),
    cwd: z.string(),
    capabilities: z.looseObject({ bounding: Strings.default([]) }).optional(),
    rlimits: z.array(z.object({ type: z.string(), soft: Numbers, hard: Numbers })).default([]),
    noNewPrivileges: z.boolean().default(false),
    oomScoreAdj: Numbers.optional(),
  }),
  root: z.looseObject({ readonly: z.boolean().default(false) }).optional(),
  hostname: z.string().optional(),
  mounts: z
    .array(z.looseObject({ destination: z.string(), options: Strings.default([]) }))
    .default([]),
  annotations: z.record(z.string(), z.string()).default({}),
  linux: z.looseObject({
    cgroupsPath: z.string().default(""),
    namespaces: z
      .array(z.looseObject({ type: z.string(), path: z.string().optional() }))
      .default([]),
    resources: z
      .looseObject({
        cpu: z
          .looseObject({
            shares: Numbers.optional(),
            quota: Numbers.optional(),
            period: Numbers.optional(),
            cpus: z.string().optional(),
          })
          .optional(),
        memory: z
          .looseObject({
            limit: Numbers.optional(),
            reservation: Numbers.optional(),
            swap: Numbers.optional(),
          })
          .optional(),
        pids: z.looseObject({ limit: Numbers }).optional(),
      })
      .default({}),
    sysctl: z.record(z.string(), z.string()).default({}),
    seccomp: z.unknown().optional(),
    maskedPaths: Strings.default([]),
  }),
});

/** A container's runtime spec as containerd keeps it, as far as it is read here; the rest is carried along. */
export type StoredSpec = z.infer<typeof StoredSpec>;

/** Type that containerd gives runtime specs. */
export const SPEC_TYPE_URL = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
/** Type that containerd gives the process of an exec. */
export const PROCESS_TYPE_URL = "types.containerd.io/opencontainers/runtime-spec/1/Process";
/** Type that containerd gives changed limits. */
export const RESOURCES_TYPE_URL =
  "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

/** Where the filter begins in a spec of ours; a quote within a text is written otherwise. */
const FILTER = ',"seccomp":';

/** Reads a stored runtime spec; undefined when it is none. */
export function parseStoredSpec(bytes: Uint8Array | undefined): StoredSpec | undefined {
  try {
    return StoredSpec.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}

/**
 * Reads a spec that is known to be as {@link ownSpecBytes} wrote it, digest and all: it is whole, so
 * that nothing is checked or filled in. Three quarters of it are the filter of system calls, which
 * is only told to be there.
 */
export function parseOwnSpec(bytes: Uint8Array): StoredSpec {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const filter = text.lastIndexOf(FILTER);
  if (filter < 0) return JSON.parse(text.toString("utf8")) as StoredSpec;
  return JSON.parse(`${text.toString("utf8", 0, filter)}${FILTER}true}}`) as StoredSpec;
}

/** A runtime spec, or a part of one, as the bytes that containerd keeps. */
export function specBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/**
 * A whole runtime spec as bytes, with everything filled in that is read here and with the filter of
 * system calls last; see {@link parseOwnSpec}.
 */
export function ownSpecBytes(spec: object): Uint8Array {
  const { linux, ...rest } = StoredSpec.parse(spec);
  const { seccomp, ...others } = linux;
  return specBytes({
    ...rest,
    linux: { ...others, ...(seccomp === undefined ? {} : { seccomp }) },
  });
}

/** The notes in a stored spec. */
export function notesIn(spec: StoredSpec): Notes | undefined {
  return parseNotes(spec.annotations[NOTES_ANNOTATION]);
}

/** The notes in a spec that {@link parseOwnSpec} read: as they were written. */
export function ownNotesIn(spec: StoredSpec): Notes | undefined {
  const text = spec.annotations[NOTES_ANNOTATION];
  return text === undefined ? undefined : (JSON.parse(text) as Notes);
}

/** The stored spec with the fields that change live or by a restart taken from a declaration. */
export function updateStoredSpec(stored: StoredSpec, pod: PodSpec, container: string): StoredSpec {
  // a pod has the containers that it names
  const spec = pod.containers[container] as ContainerSpec;
  const { oomScoreAdj: _, rlimits: __, ...process } = stored.process;
  const { cpu: ___, memory: ____, pids: _____, ...resources } = stored.linux.resources;
  const notes = { commandWords: 0, ...notesIn(stored), ...declaredNotes(pod, container) };
  return {
    ...stored,
    process: {
      ...process,
      rlimits: [...toRlimits(spec.ulimits)],
      ...(spec.oomScoreAdj === undefined ? {} : { oomScoreAdj: spec.oomScoreAdj }),
    },
    annotations: { ...stored.annotations, [NOTES_ANNOTATION]: writeNotes(notes) },
    linux: { ...stored.linux, resources: { ...resources, ...toOciResources(spec.resources) } },
  };
}

/** The stored spec with its network namespace at a path, or new where the path is absent. */
export function withNetworkPath(stored: StoredSpec, path: string | undefined): StoredSpec {
  const namespaces = stored.linux.namespaces.map((namespace) =>
    namespace.type === "network"
      ? { type: "network", ...(path === undefined ? {} : { path }) }
      : namespace,
  );
  return { ...stored, linux: { ...stored.linux, namespaces } };
}
