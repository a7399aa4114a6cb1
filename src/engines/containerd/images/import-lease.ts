import { StowageError } from "../../../errors/index.ts";
import { Leases } from "../../../gen/containerd/services/leases/v1/leases_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { LABEL_EXPIRE } from "./gc-labels.ts";

/** Beginning of the id of every lease of ours. */
export const IMPORT_LEASE_PREFIX = "stw-import-";

/**
 * How long an import that died holds on to what it had; it cannot be prolonged. It ends by the daemon's clock, which
 * may be days off this machine's.
 */
const LIFE_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Id of the lease of an image's import: always the same for one image, so that an import finds, goes
 * on with, and in the end releases what a dead one left.
 *
 * @param manifestDigest `sha256:<hex>`
 */
export function importLeaseId(manifestDigest: string): string {
  return IMPORT_LEASE_PREFIX + manifestDigest.slice(manifestDigest.indexOf(":") + 1);
}

/** Takes or makes the lease of an image's import; one that would end soon is created again. */
export async function takeImportLease(
  client: ContainerdClient,
  manifestDigest: string,
  signal?: AbortSignal,
): Promise<string> {
  const id = importLeaseId(manifestDigest);
  const options = { doing: `take lease "${id}"`, signal };
  const labels = { [LABEL_EXPIRE]: new Date(Date.now() + LIFE_MS).toISOString() };
  // another import of the same image may end, and its lease with it, between two of these calls
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      await client.unary(Leases.method.create, { id, labels }, options);
      return id;
    } catch (error) {
      if (!StowageError.is(error, "already_exists")) throw error;
    }
    const { leases } = await client.unary(Leases.method.list, { filters: [`id==${id}`] }, options);
    const held = leases.find((lease) => lease.id === id);
    if (held === undefined) continue;
    const endsAt = Date.parse(held.labels[LABEL_EXPIRE] ?? "");
    if (endsAt - Date.now() > LIFE_MS / 2) return id;
    await dropLease(client, id, signal);
  }
  throw new StowageError(
    `Cannot take lease "${id}": other clients keep creating and dropping it; try again`,
    {
      code: "aborted",
      retryable: true,
    },
  );
}

/** Whether a lease is there. */
export async function hasLease(
  client: ContainerdClient,
  id: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const options = { doing: `look for lease "${id}"`, signal };
  const { leases } = await client.unary(Leases.method.list, { filters: [`id==${id}`] }, options);
  return leases.some((lease) => lease.id === id);
}

/**
 * Drops a lease, and with it, before this returns, all that nothing else refers to: ingests, half
 * unpacked layers, blobs. Absent: nothing happens.
 */
export async function dropLease(
  client: ContainerdClient,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.unary(
      Leases.method.delete,
      { id, sync: true },
      { doing: `drop lease "${id}"`, signal },
    );
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
}
