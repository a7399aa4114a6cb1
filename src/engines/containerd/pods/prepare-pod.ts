import type { PodInstance } from "../../../engine/index.ts";
import { identityLabels } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Snapshots } from "../../../gen/containerd/services/snapshots/v1/snapshots_pb.ts";
import type { Mount } from "../../../gen/containerd/types/mount_pb.ts";
import { settleAll } from "../../../internal/index.ts";
import { LABEL_RECORD, type PodSpec } from "../../../model/index.ts";
import {
  parseStoredSpec,
  type StoredSpec,
  specBytes,
  withNetworkPath,
} from "../spec/stored-spec.ts";
import { type ContainerPlan, planContainers } from "./container-plan.ts";
import {
  type ContainerRecord,
  createContainer,
  setContainerLabel,
  updateContainerSpec,
} from "./container-records.ts";
import { getGeneration } from "./find-generation.ts";
import { makeTask } from "./make-task.ts";
import { pinNetworkNamespace } from "./network-namespace.ts";
import {
  describePod,
  generationKey,
  networkNamespacePath,
  type PodContext,
} from "./pod-context.ts";
import { removePod } from "./remove-pod.ts";

/** Whether the containers of a pod have one network namespace together that has to be kept by a file. */
export function sharesNetworkNamespace(spec: PodSpec): boolean {
  return (spec.network?.mode ?? "none") === "none" && Object.keys(spec.containers).length > 1;
}

/**
 * Makes a generation as far as created tasks.
 *
 * A container's record comes first and goes last, so that what is left of a call that was interrupted
 * hangs on it; its record label comes when the whole pod is there, and tells a finished one.
 */
export async function preparePod(
  context: PodContext,
  pod: PodInstance,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client } = context;
  const names = Object.keys(pod.spec.containers);
  // the generation may be there with containers of other names
  const seen = context.names.get(generationKey(pod.identity)) ?? [];
  const asked = [...new Set([...names, ...seen])];
  const found = await getGeneration(context, pod.identity, asked, signal);
  if (isPrepared(pod, names, found)) return;
  if (found.size > 0) await removePod(context, pod.identity, signal);
  const plans = await planContainers(context, pod, signal);
  signal?.throwIfAborted();
  try {
    await makeContainers(context, pod, plans, signal);
    await settleAll(
      plans.map(({ id }) => setContainerLabel(client, id, [LABEL_RECORD, pod.recordDigest])),
    );
  } catch (error) {
    // after an abort nobody waits for this: the next pass finds what is left
    if (signal?.aborted === true) throw error;
    await removePod(context, pod.identity, undefined).catch(() => undefined);
    throw error;
  }
}

function isPrepared(
  pod: PodInstance,
  names: readonly string[],
  found: ReadonlyMap<string, ContainerRecord>,
): boolean {
  const digests = [...found.values()].map(({ labels }) => labels[LABEL_RECORD]);
  const other = digests.find((digest) => digest !== undefined && digest !== pod.recordDigest);
  if (other !== undefined) {
    throw new StowageError(
      `Cannot prepare ${describePod(pod.identity)}: it exists with another record; use a new generation`,
      { code: "already_exists", context: { pod: pod.identity.pod, found: other } },
    );
  }
  return names.every((name) => found.get(name)?.labels[LABEL_RECORD] === pod.recordDigest);
}

async function makeContainers(
  context: PodContext,
  pod: PodInstance,
  plans: readonly ContainerPlan[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!sharesNetworkNamespace(pod.spec)) {
    await settleAll(
      plans.map((plan) => makeContainer(context, pod, plan, storedForm(plan), signal)),
    );
    return;
  }
  const [first, ...others] = plans;
  if (first === undefined) return;
  const path = networkNamespacePath(context.directories, pod.identity);
  // the runtime makes the first one's namespace and brings its loopback up; the others join it
  const pid = await makeContainer(context, pod, first, storedForm(first), signal);
  await pinNetworkNamespace(context.host, path, pid);
  await updateContainerSpec(context.client, first.id, withNetworkPath(storedForm(first), path));
  await settleAll(
    others.map((plan) =>
      makeContainer(context, pod, plan, withNetworkPath(storedForm(plan), path), signal),
    ),
  );
}

async function makeContainer(
  context: PodContext,
  pod: PodInstance,
  plan: ContainerPlan,
  spec: StoredSpec,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { client, runtime, snapshotter } = context;
  signal?.throwIfAborted();
  const { id, image } = plan;
  const labels = identityLabels(pod.identity, plan.name);
  await createContainer(client, { id, image, runtime, snapshotter, labels, spec });
  // the record holds the snapshot from its first moment
  const rootfs = await makeSnapshot(context, plan);
  signal?.throwIfAborted();
  const pid = await makeTask(context, id, spec, rootfs);
  signal?.throwIfAborted();
  return pid;
}

async function makeSnapshot(context: PodContext, plan: ContainerPlan): Promise<readonly Mount[]> {
  const { id, image, topChainId } = plan;
  try {
    const { mounts } = await context.client.unary(
      Snapshots.method.prepare,
      { snapshotter: context.snapshotter, key: id, parent: topChainId ?? "" },
      { doing: `make snapshot "${id}"` },
    );
    return mounts;
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
    throw new StowageError(
      `Cannot use image "${image}": it is not unpacked for snapshotter "${context.snapshotter}"; import it again`,
      {
        code: "not_found",
        cause: error,
        context: { image },
      },
    );
  }
}

/** A spec in the form in which it is read back. */
function storedForm({ spec }: ContainerPlan): StoredSpec {
  const stored = parseStoredSpec(specBytes(spec));
  if (stored !== undefined) return stored;
  throw new StowageError("Cannot read a runtime spec that was just written", { code: "internal" });
}
