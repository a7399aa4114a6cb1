import * as z from "zod";

/** A file of audit lines that is longer than this starts again; the one before it is kept. */
export const AUDIT_FILE_BYTES = 256 * 1024;

/** Changes that a line names; of more it says how many. */
export const AUDIT_CHANGES_MAX = 50;

/**
 * One line of a host's audit file. A run writes one when it begins and one when it ends: one that was
 * killed has no end. Lines hold names, actions and results: no values, no reasons, nothing that could be secret.
 */
export const AuditLine = z.lazy(() =>
  z.strictObject({
    version: z.literal(1),
    /** The same in both lines of a run. */
    run: z.string(),
    event: z.enum(["began", "ended"]),
    /** By the clock of the machine that applied. */
    at: z.iso.datetime(),
    /** Who, and from where: `user@machine`. */
    by: z.string(),
    owner: z.string(),
    fleet: z.string(),
    /** What the host is called in the fleet. */
    host: z.string(),
    /** Command that was run: `apply`, `destroy` … */
    command: z.string(),
    /** Of the beginning what is to be done, of the end what came of it. */
    changes: z
      .array(
        z.strictObject({
          id: z.string(),
          action: z.string(),
          /** Only of the end. */
          status: z.string().optional(),
        }),
      )
      .readonly(),
    /** Changes that are not named. */
    more: z.int().min(0).optional(),
    /** Only of the end: of the whole run on this host. */
    result: z.string().optional(),
  }),
);
/** See the schema of the same name. */
export type AuditLine = z.infer<typeof AuditLine>;

/** The lines of an audit file, oldest first; what is no line of ours is left out. Never throws. */
export function parseAudit(text: string): readonly AuditLine[] {
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    try {
      const { data } = AuditLine.safeParse(JSON.parse(line));
      return data === undefined ? [] : [data];
    } catch {
      // truncated by the end of the host, or not ours
      return [];
    }
  });
}
