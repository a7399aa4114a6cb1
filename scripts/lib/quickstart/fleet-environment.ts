import type { QuickstartFolder } from "./quickstart-folder.ts";

/** The variables that examples/hello-fleet reads. On a private containerd all of it lies in one folder. */
export function fleetEnvironment(
  folder: QuickstartFolder,
  scene: { readonly socket: string; readonly isPrivate: boolean; readonly port: number },
): Readonly<Record<string, string>> {
  return {
    STOWAGE_HELLO_PORT: String(scene.port),
    STOWAGE_CONTAINERD_SOCKET: scene.socket,
    STOWAGE_PODMAN_DIR: folder.podmanDir,
    ...(scene.isPrivate
      ? { STOWAGE_STATE_DIR: folder.stateDir, STOWAGE_RUN_DIR: folder.runDir }
      : {}),
  };
}
