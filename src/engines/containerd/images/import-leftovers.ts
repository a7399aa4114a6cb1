import { Leases } from "../../../gen/containerd/services/leases/v1/leases_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { dropLease, IMPORT_LEASE_PREFIX } from "./import-lease.ts";

/**
 * Names of what imports hold now: those under way, and those that died. Only reads.
 *
 * Who holds the host's lock knows that all of them are dead.
 */
export async function listImportLeftovers(
  client: ContainerdClient,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { leases } = await client.unary(Leases.method.list, {}, { doing: "list leases", signal });
  return leases.map(({ id }) => id).filter((id) => id.startsWith(IMPORT_LEASE_PREFIX));
}

/**
 * Removes what dead imports left: leases, and with them ingests and half unpacked layers.
 *
 * @returns the names of what was there
 */
export async function sweepImports(
  client: ContainerdClient,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const names = await listImportLeftovers(client, signal);
  for (const name of names) await dropLease(client, name, signal);
  return names;
}
