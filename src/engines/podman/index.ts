export { podmanCapabilities } from "./capabilities.ts";
export { openPodman } from "./open-podman.ts";
export type { PodmanEngine } from "./podman-engine.ts";
