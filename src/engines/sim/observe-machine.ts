import {
  attributesOf,
  ContainerSpec,
  type Json,
  type ObservedContainer,
  type ObservedEngine,
  type ObservedImage,
  type ObservedPod,
  PodSpec,
  podState,
} from "../../model/index.ts";
import { imagesInUse } from "./image-store.ts";
import type { MachineState, SimContainer, SimPod } from "./machine-state.ts";

/** Everything of interest on a machine; what fields hold is worked out only when it is asked for. */
export function observeMachine(state: MachineState): ObservedEngine {
  const used = imagesInUse(state);
  return {
    pods: Object.values(state.pods).map(observedPod),
    images: Object.entries(state.images).map(
      ([name, image]): ObservedImage => ({
        name,
        digest: image.digest,
        ...(image.configDigest === undefined ? {} : { configDigest: image.configDigest }),
        sizeBytes: image.sizeBytes,
        ...(image.ours ? { fleets: image.fleets } : {}),
        inUse: used.has(name),
      }),
    ),
    leftovers: Object.entries(state.leftovers).map(([name, what]) => ({ name, what })),
  };
}

function observedPod(pod: SimPod): ObservedPod {
  const { owner, fleet, host, pod: name, generation } = pod.identity;
  const { spec, recordDigest, complete } = pod;
  const containers: Record<string, ObservedContainer> = {};
  for (const [each, declared] of Object.entries(spec.containers)) {
    containers[each] = observedContainer(pod.containers[each], declared);
  }
  const states = Object.values(containers).map((container) => container.state);
  return {
    owner,
    fleet,
    host,
    pod: name,
    generation,
    recordDigest,
    state: complete ? podState(states) : "incomplete",
    containers,
    ...networkPart(pod, states),
    get reported() {
      const { containers: _, ...own } = spec;
      return valuesOf(attributesOf(PodSpec, own));
    },
  };
}

function networkPart({ network }: SimPod, states: readonly string[]) {
  if (network === undefined) return {};
  const { address, detached } = network;
  const isSeen = detached !== undefined && states.includes("running");
  return { address, ...(isSeen ? { detached } : {}) };
}

function observedContainer(
  container: SimContainer | undefined,
  declared: ContainerSpec,
): ObservedContainer {
  if (container === undefined) {
    return { id: "", state: "missing", image: { reference: declared.image }, reported: {} };
  }
  const { id, state, spec, pid, exitCode, exitedAt, restarts, altered, image } = container;
  return {
    id,
    state,
    ...(pid === undefined ? {} : { pid }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exitedAt === undefined ? {} : { exitedAt }),
    ...(restarts === undefined ? {} : { restarts }),
    image: { reference: image.reference, digest: image.digest },
    get reported() {
      return reportedFields(spec, declared);
    },
    ...(altered === undefined ? {} : { altered }),
  };
}

function reportedFields(inForce: ContainerSpec, declared: ContainerSpec): Record<string, Json> {
  const values = valuesOf(attributesOf(ContainerSpec, inForce));
  if (inForce === declared) return values;
  const gone = [...attributesOf(ContainerSpec, declared).keys()].filter(
    (path) => !(path in values),
  );
  return { ...Object.fromEntries(gone.map((path) => [path, null])), ...values };
}

function valuesOf(attributes: ReturnType<typeof attributesOf>): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const { path, value } of attributes.values()) values[path] = value;
  return values;
}
