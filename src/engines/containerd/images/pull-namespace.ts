import { StowageError } from "../../../errors/index.ts";
import { Content } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import { Leases } from "../../../gen/containerd/services/leases/v1/leases_pb.ts";
import { Namespaces } from "../../../gen/containerd/services/namespaces/v1/namespaces_pb.ts";
import { OBJECT_PREFIX, objectCode } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { deleteImageRecord, listImageRecords } from "./image-record.ts";
import { dropLease } from "./import-lease.ts";

/** Beginning of the name of every namespace that a daemon pulls into. */
export const PULL_PREFIX = `${OBJECT_PREFIX}pull-`;

/** Says which namespace a pull is for, and of which manifest it is. */
const LABEL_FOR = "io.stowage.pull-for";
const LABEL_IMAGE = "io.stowage.pull-image";

/** What a pull left. */
export interface PullLeftover {
  readonly name: string;
  readonly image: string | undefined;
}

/**
 * Name of the namespace that an image is pulled into before it is taken in: the same one for the same image, so that
 * blobs of a pull that was interrupted are there for the next. Nobody sees its images but who looks for them, and the
 * daemon gives its blobs to other namespaces without copying them.
 */
export function pullNamespace(namespace: string, manifestDigest: string): string {
  return `${PULL_PREFIX}${objectCode([namespace, manifestDigest])}`;
}

/** Makes it, where it is not there. @returns the client in it */
export async function openPullNamespace(
  client: ContainerdClient,
  manifestDigest: string,
  signal: AbortSignal | undefined,
): Promise<ContainerdClient> {
  const name = pullNamespace(client.namespace, manifestDigest);
  const labels = { [LABEL_FOR]: client.namespace, [LABEL_IMAGE]: manifestDigest };
  try {
    const options = { doing: `make namespace "${name}"`, signal };
    await client.unary(Namespaces.method.create, { namespace: { name, labels } }, options);
  } catch (error) {
    if (!StowageError.is(error, "already_exists")) throw error;
  }
  return client.inNamespace(name);
}

/** Pulls of a namespace that did not come to their end. Only reads. */
export async function listPullLeftovers(
  client: ContainerdClient,
  signal: AbortSignal | undefined,
): Promise<readonly PullLeftover[]> {
  const options = { doing: "list namespaces", signal };
  const { namespaces } = await client.unary(Namespaces.method.list, {}, options);
  return namespaces
    .filter(
      ({ name, labels }) => name.startsWith(PULL_PREFIX) && labels[LABEL_FOR] === client.namespace,
    )
    .map(({ name, labels }) => ({ name, image: labels[LABEL_IMAGE] }));
}

/** Bytes that have come into a namespace: whole blobs, and what is on its way. */
export async function pulledBytes(client: ContainerdClient): Promise<number> {
  let bytes = 0n;
  const whole = client.serverStream(Content.method.list, {}, { doing: "list blobs" });
  for await (const { info } of whole) for (const { size } of info) bytes += size;
  const { statuses } = await client.unary(
    Content.method.listStatuses,
    {},
    { doing: "list ingests" },
  );
  for (const { offset } of statuses) bytes += offset;
  return Number(bytes);
}

/** Takes a namespace of a pull away, with all that is in it. Absent: nothing happens. */
export async function dropPullNamespace(client: ContainerdClient, name: string): Promise<void> {
  const there = client.inNamespace(name);
  const doing = `remove namespace "${name}"`;
  for (const image of await listImageRecords(there)) await deleteImageRecord(there, image.name);
  const { leases } = await there.unary(Leases.method.list, {}, { doing });
  for (const { id } of leases) await dropLease(there, id);
  const { statuses } = await there.unary(Content.method.listStatuses, {}, { doing });
  for (const { ref } of statuses) await abortIngest(there, ref, doing);
  // a blob is collected with what held it; one that nothing ever held goes with a lease that is dropped
  const id = `${name}-end`;
  try {
    await there.unary(Leases.method.create, { id }, { doing });
  } catch (error) {
    if (!StowageError.is(error, "already_exists")) throw error;
  }
  await dropLease(there, id);
  try {
    await client.unary(Namespaces.method.delete, { name }, { doing });
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
}

async function abortIngest(client: ContainerdClient, ref: string, doing: string): Promise<void> {
  try {
    await client.unary(Content.method.abort, { ref }, { doing });
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
}
