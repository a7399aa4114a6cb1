import type { RegistryWait } from "../../image/registry/index.ts";
import type { ImageStoreOptions } from "./image-store.ts";

/** A registry that is long in answering. */
export interface RegistryProgress extends RegistryWait {
  readonly type: "registry-waiting";
}

/** Tells of registries that are long in answering, as whoever plans or applies is told of other things. */
export function registryWaits(
  tell: ((progress: RegistryProgress) => void) | undefined,
): Pick<ImageStoreOptions, "onWait"> {
  return tell === undefined
    ? {}
    : { onWait: (wait) => tell({ type: "registry-waiting", ...wait }) };
}
