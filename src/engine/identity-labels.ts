import {
  LABEL_CONTAINER,
  LABEL_FLEET,
  LABEL_GENERATION,
  LABEL_HOST,
  LABEL_OWNER,
  LABEL_POD,
  type PodIdentity,
} from "../model/index.ts";

/** Whose container it is, as its labels say. */
export interface LabelledContainer {
  readonly owner: string;
  readonly fleet: string;
  readonly host: string;
  readonly pod: string;
  readonly container: string;
  readonly generation: number;
}

/** Labels that a container is known by; the record's comes when all of the pod is made. */
export function identityLabels(
  identity: PodIdentity,
  container: string,
): Readonly<Record<string, string>> {
  return {
    [LABEL_OWNER]: identity.owner,
    [LABEL_FLEET]: identity.fleet,
    [LABEL_HOST]: identity.host,
    [LABEL_POD]: identity.pod,
    [LABEL_CONTAINER]: container,
    [LABEL_GENERATION]: String(identity.generation),
  };
}

/** Reads the labels of a container; undefined when it is not Stowage's. */
export function readLabels(
  labels: Readonly<Record<string, string>>,
): LabelledContainer | undefined {
  const owner = labels[LABEL_OWNER];
  const fleet = labels[LABEL_FLEET];
  const host = labels[LABEL_HOST];
  const pod = labels[LABEL_POD];
  const container = labels[LABEL_CONTAINER];
  const generation = Number(labels[LABEL_GENERATION]);
  if (
    owner === undefined ||
    fleet === undefined ||
    host === undefined ||
    pod === undefined ||
    container === undefined
  )
    return undefined;
  if (!Number.isSafeInteger(generation) || generation < 1) return undefined;
  return { owner, fleet, host, pod, container, generation };
}
