import { hash } from "node:crypto";
import { StowageError } from "../../../errors/index.ts";
import {
  type Container,
  Containers,
} from "../../../gen/containerd/services/containers/v1/containers_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import {
  ownSpecBytes,
  parseStoredSpec,
  SPEC_TYPE_URL,
  type StoredSpec,
} from "../spec/stored-spec.ts";
import { LABEL_SPEC } from "./pod-labels.ts";

/** A container's record in containerd. */
export interface ContainerRecord {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly snapshotKey: string;
  readonly snapshotter: string;
  readonly specBytes: Uint8Array;
}

/** A record that is to be made. */
export interface NewContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly runtime: string;
  readonly snapshotter: string;
  readonly spec: object;
}

/**
 * Every container of the namespace, whoever made it: in one message, or where they do not fit into one
 * (16 MiB), in a stream, which costs half as much again.
 */
export async function listContainers(
  client: ContainerdClient,
  filters: readonly string[] = [],
  signal?: AbortSignal,
): Promise<readonly ContainerRecord[]> {
  const options = { doing: "list containers", signal };
  const request = { filters: [...filters] };
  try {
    const { containers } = await client.unary(Containers.method.list, request, options);
    return containers.map(toRecord);
  } catch (error) {
    if (!StowageError.is(error, "resource_exhausted")) throw error;
  }
  const found: ContainerRecord[] = [];
  for await (const { container } of client.serverStream(
    Containers.method.listStream,
    request,
    options,
  )) {
    if (container !== undefined) found.push(toRecord(container));
  }
  return found;
}

/** One container; undefined when there is none. */
export async function getContainer(
  client: ContainerdClient,
  id: string,
  signal?: AbortSignal,
): Promise<ContainerRecord | undefined> {
  try {
    const { container } = await client.unary(
      Containers.method.get,
      { id },
      { doing: `look up container "${id}"`, signal },
    );
    return container === undefined ? undefined : toRecord(container);
  } catch (error) {
    if (StowageError.is(error, "not_found")) return undefined;
    throw error;
  }
}

/** Makes a record. */
export async function createContainer(
  client: ContainerdClient,
  container: NewContainer,
  signal?: AbortSignal,
): Promise<void> {
  const { id, image, runtime, snapshotter } = container;
  const value = ownSpecBytes(container.spec);
  await client.unary(
    Containers.method.create,
    {
      container: {
        id,
        image,
        snapshotter,
        snapshotKey: id,
        runtime: { name: runtime },
        labels: { ...container.labels, [LABEL_SPEC]: specDigest(value) },
        spec: { typeUrl: SPEC_TYPE_URL, value },
      },
    },
    { doing: `make container "${id}"`, signal },
  );
}

/** Changes a record's spec, and with it the digest that tells whether somebody else changed it. */
export async function updateContainerSpec(
  client: ContainerdClient,
  id: string,
  spec: StoredSpec,
  signal?: AbortSignal,
): Promise<void> {
  const value = ownSpecBytes(spec);
  await client.unary(
    Containers.method.update,
    {
      container: {
        id,
        labels: { [LABEL_SPEC]: specDigest(value) },
        spec: { typeUrl: SPEC_TYPE_URL, value },
      },
      // without a mask everything that is not named would be wiped
      updateMask: { paths: ["spec", `labels.${LABEL_SPEC}`] },
    },
    { doing: `update container "${id}"`, signal },
  );
}

/** Sets one label of a record, leaving the others as they are. */
export async function setContainerLabel(
  client: ContainerdClient,
  id: string,
  [key, value]: readonly [string, string],
  signal?: AbortSignal,
): Promise<void> {
  await client.unary(
    Containers.method.update,
    { container: { id, labels: { [key]: value } }, updateMask: { paths: [`labels.${key}`] } },
    { doing: `label container "${id}"`, signal },
  );
}

/** Notes another name of the image that a container was made of. */
export async function setContainerImage(
  client: ContainerdClient,
  id: string,
  image: string,
  signal?: AbortSignal,
): Promise<void> {
  await client.unary(
    Containers.method.update,
    { container: { id, image }, updateMask: { paths: ["image"] } },
    { doing: `name the image of container "${id}"`, signal },
  );
}

/** Deletes a record; absent: nothing happens. containerd deletes that of a running container as well. */
export async function deleteContainer(
  client: ContainerdClient,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await client.unary(
      Containers.method.delete,
      { id },
      { doing: `remove container "${id}"`, signal },
    );
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
  }
}

/** The runtime spec in a record. @throws StowageError `failed_precondition` when somebody made it unreadable */
export function storedSpecOf(record: ContainerRecord): StoredSpec {
  const spec = parseStoredSpec(record.specBytes);
  if (spec !== undefined) return spec;
  throw new StowageError(
    `Cannot read container "${record.id}": its runtime spec was not written by Stowage; replace the pod`,
    { code: "failed_precondition", context: { container: record.id } },
  );
}

/** Whether a record's spec is as Stowage wrote it. */
export function isOwnSpec({ labels, specBytes }: ContainerRecord): boolean {
  return labels[LABEL_SPEC] === specDigest(specBytes);
}

/** Digest of a spec's bytes as its label has it. */
export function specDigest(bytes: Uint8Array): string {
  return hash("sha256", bytes).slice(0, 32);
}

function toRecord({
  id,
  labels,
  image,
  snapshotKey,
  snapshotter,
  spec,
}: Container): ContainerRecord {
  return {
    id,
    labels,
    image,
    snapshotKey,
    snapshotter,
    specBytes: spec?.value ?? new Uint8Array(),
  };
}
