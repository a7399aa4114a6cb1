import type { RegistryWait } from "../../image/registry/index.ts";
import type { ImageStoreOptions } from "./image-store.ts";

/** A registry that is long in answering. */
export interface RegistryProgress extends RegistryWait {
  readonly type: "registry-waiting";
}

/** Reports registries that are slow to answer. */
export function registryWaits(
  tell: ((progress: RegistryProgress) => void) | undefined,
): Pick<ImageStoreOptions, "onWait"> {
  return tell === undefined
    ? {}
    : { onWait: (wait) => tell({ type: "registry-waiting", ...wait }) };
}
