import type { EngineRest } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Namespaces } from "../../../gen/containerd/services/namespaces/v1/namespaces_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { dropLease, takeImportLease } from "../images/import-lease.ts";
import { removeEmptyCgroups } from "./empty-cgroups.ts";
import type { PodContext } from "./pod-context.ts";

/** Its lease is given back at once: with it goes, before that returns, what nothing refers to. */
const COLLECTED = "sha256:collected";

/** Removes the namespace where nothing of anybody is in it. */
export async function vacateNamespace(
  { client, host }: PodContext,
  signal: AbortSignal | undefined,
): Promise<readonly EngineRest[]> {
  const { namespace } = client;
  await dropLease(client, await takeImportLease(client, COLLECTED, signal), signal);
  const left = await removeNamespace(client, signal);
  // where the cgroups of its containers were
  await removeEmptyCgroups(host, [`/${namespace}`], signal === undefined ? {} : { signal });
  return left;
}

async function removeNamespace(
  client: ContainerdClient,
  signal: AbortSignal | undefined,
): Promise<readonly EngineRest[]> {
  const { namespace: name } = client;
  try {
    const doing = `remove namespace "${name}"`;
    await client.unary(Namespaces.method.delete, { name }, { doing, signal });
    return [];
  } catch (error) {
    if (StowageError.is(error, "not_found")) return [];
    if (!StowageError.is(error, "failed_precondition")) throw error;
    const why = "something of others is in it";
    return [{ what: `namespace ${name} of containerd`, why }];
  }
}
