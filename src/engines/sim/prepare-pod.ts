import type { PodInstance } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { type AppliedImage, imageName, isSecret, objectName } from "../../model/index.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";
import { missingSource } from "./missing-source.ts";
import type { Part } from "./sim-calls.ts";

/** Makes a generation: first the pod, then its containers, so that it can be interrupted between. */
export async function preparePod(
  part: Part,
  pod: PodInstance,
  { maxPods, runOnce }: { readonly maxPods: number | undefined; readonly runOnce: boolean },
): Promise<void> {
  const key = objectName(pod.identity);
  const done = await part((state) => {
    const present = state.pods[key];
    if (present === undefined) {
      checkCapacity(state, pod, maxPods);
      checkParts(state, pod);
      state.pods[key] = emptyPod(pod, runOnce);
      return false;
    }
    if (present.recordDigest !== pod.recordDigest) throw otherDigest(pod);
    if (!present.complete) checkParts(state, pod);
    return present.complete;
  });
  if (done) return;
  await part((state) => {
    const made = makeContainers(state, pod);
    const present = state.pods[key] ?? emptyPod(pod, runOnce);
    state.pods[key] = present;
    for (const [name, container] of Object.entries(made)) {
      present.containers[name] ??= container;
    }
    present.complete = true;
  });
}

/** The containers of a generation, prepared. */
export function makeContainers(
  state: MachineState,
  pod: PodInstance,
): Readonly<Record<string, SimContainer>> {
  const made: Record<string, SimContainer> = {};
  for (const [name, spec] of Object.entries(pod.spec.containers)) {
    const image = requiredImage(pod, name);
    const held = state.images[imageName(image.reference, image.digest)];
    if (held === undefined) throw noImage(image);
    const environment = hasSecret(pod, name) ? pod.environment?.[name] : undefined;
    made[name] = {
      id: objectName(pod.identity, name),
      state: "prepared",
      spec,
      image,
      defaults: held.defaults,
      ...(environment === undefined ? {} : { environment }),
    };
  }
  return made;
}

/** Fails unless everything that a generation is made of is there. */
export function checkParts(state: MachineState, pod: PodInstance): void {
  for (const name of Object.keys(pod.spec.containers)) {
    const image = requiredImage(pod, name);
    if (state.images[imageName(image.reference, image.digest)] === undefined) throw noImage(image);
    if (hasSecret(pod, name) && pod.environment?.[name] === undefined) {
      throw new StowageError(
        `Cannot prepare pod "${pod.identity.pod}": the secrets of container "${name}" are not set here; set their variables`,
        { code: "failed_precondition" },
      );
    }
  }
  checkSources(state, pod, "prepare");
}

/** Fails unless everything of the host that a generation sees is there. */
export function checkSources(
  state: MachineState,
  { identity, spec }: Pick<PodInstance, "identity" | "spec">,
  verb: "prepare" | "start",
): void {
  const missing = missingSource(state, spec);
  if (missing === undefined) return;
  throw new StowageError(
    `Cannot ${verb} pod "${identity.pod}": there is no "${missing}" on the host; make it or correct the volume's path`,
    { code: "failed_precondition" },
  );
}

function emptyPod(
  { identity, spec, recordDigest, volumeDirs }: PodInstance,
  runOnce: boolean,
): SimPod {
  const pod = { identity, spec, recordDigest, volumeDirs, complete: false, containers: {} };
  return runOnce ? { ...pod, runOnce } : pod;
}

function checkCapacity(state: MachineState, pod: PodInstance, maxPods: number | undefined): void {
  if (maxPods === undefined || Object.keys(state.pods).length < maxPods) return;
  throw new StowageError(
    `Cannot prepare pod "${pod.identity.pod}": the host holds ${maxPods} pods already, and no more; remove one`,
    { code: "resource_exhausted" },
  );
}

function hasSecret(pod: PodInstance, name: string): boolean {
  return Object.values(pod.spec.containers[name]?.env ?? {}).some(isSecret);
}

function requiredImage(pod: PodInstance, name: string): AppliedImage {
  const image = pod.images[name];
  if (image !== undefined) return image;
  throw new StowageError(
    `Cannot prepare pod "${pod.identity.pod}": no image is given for container "${name}"`,
    {
      code: "invalid_argument",
    },
  );
}

function noImage({ reference, digest }: AppliedImage): StowageError {
  return new StowageError(
    `Cannot use image "${reference}": the engine does not hold ${digest}; import it first`,
    { code: "not_found", context: { reference, digest } },
  );
}

function otherDigest({ identity }: PodInstance): StowageError {
  return new StowageError(
    `Cannot prepare pod "${identity.pod}": generation ${identity.generation} exists and is made of something else; remove it or use another generation`,
    { code: "already_exists" },
  );
}
