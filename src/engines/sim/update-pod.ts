import type { PodInstance } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { type CapabilityTable, capabilityOf, diffAttributes, PodSpec } from "../../model/index.ts";
import type { MachineState, SimPod } from "./machine-state.ts";
import { requirePod } from "./require-pod.ts";
import { withLiveFields, withRestartFields } from "./restart-fields.ts";
import type { Part } from "./sim-calls.ts";

/** Gives a generation its new specification: live fields at once, its record digest last. */
export async function updatePod(
  part: Part,
  pod: PodInstance,
  capabilities: CapabilityTable,
): Promise<void> {
  await part((state) => {
    const found = requirePod(state, pod.identity, "update");
    checkChanges(found, pod, capabilities);
    putSpec(state, found, pod);
  });
  await part((state) => {
    requirePod(state, pod.identity, "update").recordDigest = pod.recordDigest;
  });
}

function putSpec(_state: MachineState, found: SimPod, pod: PodInstance): void {
  found.spec = pod.spec;
  for (const [name, container] of Object.entries(found.containers)) {
    const wanted = pod.spec.containers[name];
    if (wanted === undefined) continue;
    const image = pod.images[name];
    if (image !== undefined) container.image = image;
    const running = container.state === "running" || container.state === "paused";
    const live = { ...withLiveFields(container.spec, wanted), image: wanted.image };
    container.spec = running ? live : withRestartFields(live, wanted);
  }
}

function checkChanges(found: SimPod, pod: PodInstance, capabilities: CapabilityTable): void {
  const replaced = diffAttributes(PodSpec, found.spec, pod.spec).find(
    ({ fieldPath, after, before, verdict }) =>
      // another name of the same image is read below
      fieldPath !== "containers.*.image" &&
      (capabilityOf(capabilities, fieldPath, after ?? before ?? null).change ?? verdict) ===
        "replace",
  );
  const [name] = Object.entries(found.containers).find(
    ([each, { image }]) => pod.images[each]?.digest !== image.digest,
  ) ?? [undefined];
  const path = replaced?.path ?? (name === undefined ? undefined : `containers.${name}.image`);
  if (path === undefined) return;
  throw new StowageError(
    `Cannot update pod "${pod.identity.pod}": ${path} cannot change in place; replace the pod`,
    { code: "invalid_argument", context: { path } },
  );
}
