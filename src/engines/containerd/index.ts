export { CONTAINERD_CAPABILITIES } from "./capabilities.ts";
export { openContainerd } from "./open-containerd.ts";
