import { randomUUID } from "node:crypto";
import { StowageError } from "../../errors/index.ts";
import type { Host } from "../../host/index.ts";
import { AUDIT_FILE_BYTES, type AuditLine, type HostLayout } from "../../model/index.ts";
import type { MarkRolloutRequest } from "./mark-request.ts";

/**
 * Notes in a host's audit file who paused a rollout or let it go on. It is done in one instant, and has no
 * line of its beginning.
 *
 * @returns why that was not possible; the mark holds all the same
 */
export async function auditMark(
  host: Host,
  { auditFile }: HostLayout,
  request: MarkRolloutRequest & { readonly host: string },
): Promise<string | undefined> {
  const { manifest, service, paused, by, now, signal } = request;
  const action = paused ? "pause" : "resume";
  const line: AuditLine = {
    version: 1,
    run: randomUUID(),
    event: "ended",
    at: now().toISOString(),
    by,
    owner: manifest.id,
    fleet: manifest.name,
    host: request.host,
    command: `rollout ${action}`,
    changes: [{ id: service, action, status: "done" }],
    result: "done",
  };
  try {
    const options = signal === undefined ? {} : { signal };
    await host.appendLine(auditFile, JSON.stringify(line), AUDIT_FILE_BYTES, options);
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (!StowageError.is(error)) throw error;
    return error.message;
  }
}
