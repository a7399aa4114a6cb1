import { spawnSync } from "node:child_process";
import { existsSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { StowageError } from "../../../src/errors/index.ts";
import { startPrivateContainerd, stopPrivateContainerd } from "../private-containerd.ts";
import { USUAL_SOCKET } from "./choose-engine.ts";
import { USUAL_PORT } from "./choose-port.ts";
import { fleetEnvironment } from "./fleet-environment.ts";
import {
  EXAMPLE,
  EXAMPLE_FILES,
  type QuickstartFolder,
  readSettings,
} from "./quickstart-folder.ts";
import { Stage } from "./stage.ts";

/** Destroys the example's fleet with its volumes, stops the private containerd, and removes every file of the quickstart. */
export async function takeDown(
  folder: QuickstartFolder,
  options: { readonly main: string; readonly signal: AbortSignal },
): Promise<void> {
  const settings = readSettings(folder);
  const hasPrivate = existsSync(folder.containerdDir);
  if (hasPrivate || settings !== undefined) {
    const socket = settings?.socket ?? USUAL_SOCKET;
    const isPrivate = socket !== USUAL_SOCKET;
    if (isPrivate) await startPrivateContainerd({ dir: folder.containerdDir });
    const env = fleetEnvironment(folder, { socket, isPrivate, port: settings?.port ?? USUAL_PORT });
    await destroyFleet(new Stage({ ...options, env }), isPrivate);
  }
  if (hasPrivate) {
    await stopPrivateContainerd(folder.containerdDir);
    console.log(`\nStopped the private containerd and removed ${folder.dir}.`);
  }
  // podman keeps its store mounted on itself
  spawnSync("umount", [join(folder.podmanDir, "root/overlay")]);
  for (const dir of [EXAMPLE_FILES, join(EXAMPLE, "cdktf.out"), folder.dir]) {
    rmSync(dir, { recursive: true, force: true });
  }
  removeIfEmpty(dirname(folder.dir));
  console.log("Nothing of the quickstart is left.");
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // others use it too, or it was never there
  }
}

async function destroyFleet(stage: Stage, isPrivate: boolean): Promise<void> {
  try {
    await stage.stowage(["destroy", "--yes", "--volumes", "--yes-delete-data"]);
  } catch (error) {
    // in a private containerd everything goes with the daemon's own folder
    if (!isPrivate || !StowageError.is(error, "failed_precondition")) throw error;
    console.log("It goes with the private containerd.");
  }
}
