import { objectName, type PodIdentity } from "../../../model/index.ts";

/** Characters that an id of containerd may have. */
const MAX_ID_CHARACTERS = 76;

/** Id of a container, of its task and of its snapshot. */
export function containerId(identity: PodIdentity, container: string): string {
  return objectName(identity, container, MAX_ID_CHARACTERS);
}
