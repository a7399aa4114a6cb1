export { openPodman } from "./open-podman.ts";
