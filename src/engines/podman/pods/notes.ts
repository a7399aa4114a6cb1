import * as z from "zod";
import { declaredPaths, podDeclaredPaths } from "../../../engine/index.ts";
import {
  type AppliedImage,
  type ContainerSpec,
  effectiveLogging,
  type PodSpec,
} from "../../../model/index.ts";
import { absentCapabilities } from "./security-arguments.ts";

/** Label of a container that holds {@link Notes} as JSON. */
export const LABEL_NOTES = "io.stowage.notes";

const Limit = z.union([z.number(), z.string()]);

const Notes = z.object({
  /** Names of all containers of the pod, so that one that is missing is missed. */
  containers: z.array(z.string()),
  /** Paths of declared attributes that podman can tell. */
  declared: z.array(z.string()),
  /** The same for attributes of the pod. */
  podDeclared: z.array(z.string()),
  /** Words of the command line that come before the declared arguments. */
  commandWords: z.int(),
  /** Name of the volume at each mount's path. */
  volumes: z.record(z.string(), z.string()),
  logging: z.object({ mode: z.enum(["file", "none"]), maxBytes: z.int(), maxFiles: z.int() }),
  /** What the image was declared as, and what it led to. */
  image: z.object({ reference: z.string(), digest: z.string(), id: z.string() }),
  /** Limits that it was made with. */
  resources: z.record(z.string(), Limit),
  sysctls: z.record(z.string(), z.string()),
  /** Default capabilities that it was not given, without anybody having declared so. */
  absent: z.array(z.string()),
});

/** What a container says of itself for this adapter only. */
export type Notes = Readonly<z.infer<typeof Notes>>;

/** The notes of a container that is to be made. */
export function notesOf(
  pod: PodSpec,
  spec: ContainerSpec,
  found: {
    readonly commandWords: number;
    readonly image: AppliedImage;
    readonly imageId: string;
    readonly user: string;
  },
): Notes {
  const { reference, digest } = found.image;
  return {
    containers: Object.keys(pod.containers).sort(),
    declared: [...declaredPaths(spec)],
    podDeclared: [...podDeclaredPaths(pod)],
    commandWords: found.commandWords,
    volumes: Object.fromEntries((spec.mounts ?? []).map(({ path, volume }) => [path, volume])),
    // its type allows undefined, its values never are
    logging: effectiveLogging(spec.logging) as Notes["logging"],
    image: { reference, digest, id: found.imageId },
    resources: { ...spec.resources } as Notes["resources"],
    sysctls: { ...pod.sysctls },
    absent: [...absentCapabilities(spec.security, found.user)],
  };
}

/** The notes as a label has them. */
export function writeNotes(notes: Notes): string {
  return JSON.stringify(Notes.parse(notes));
}

/** Reads the notes of a container's labels; undefined when they are not there or not readable. */
export function parseNotes(labels: Readonly<Record<string, string>>): Notes | undefined {
  const text = labels[LABEL_NOTES];
  if (text === undefined) return undefined;
  try {
    return Notes.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
