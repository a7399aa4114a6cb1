import * as z from "zod";

/** Annotation of a runtime spec that holds {@link Notes} as JSON. */
export const NOTES_ANNOTATION = "io.stowage.notes";

const Notes = z.object({
  /** Names of all containers of the pod, so that one that is missing is missed. */
  containers: z.array(z.string()),
  /** Paths of declared attributes that the runtime spec can tell. */
  declared: z.array(z.string()),
  /** The same for attributes of the pod. */
  podDeclared: z.array(z.string()),
  /** Words of the command line that come before the declared arguments. */
  commandWords: z.int(),
  /** Whether the declared user names a group. */
  userHasGroup: z.boolean(),
  /** Name of the volume at each mount's path. */
  volumes: z.record(z.string(), z.string()),
  logging: z.object({ mode: z.enum(["file", "none"]), maxBytes: z.int(), maxFiles: z.int() }),
  /** What the image wants to be stopped with. */
  stopSignal: z.string().optional(),
});

/** What a container's runtime spec says of itself for this adapter only. */
export type Notes = Readonly<z.infer<typeof Notes>>;

/** The notes as a runtime spec has them: the same notes are the same text. */
export function writeNotes(notes: Notes): string {
  return JSON.stringify(Notes.parse(notes));
}

/** Reads the notes of a runtime spec's annotations; undefined when they are not there or not readable. */
export function parseNotes(text: unknown): Notes | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return Notes.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
