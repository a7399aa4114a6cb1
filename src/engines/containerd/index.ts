export { openContainerd } from "./open-containerd.ts";
