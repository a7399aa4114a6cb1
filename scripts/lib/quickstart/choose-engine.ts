import { existsSync } from "node:fs";
import { connect } from "node:net";
import {
  findPrivateContainerd,
  startPrivateContainerd,
  whyNoPrivateContainerd,
} from "../private-containerd.ts";
import { ensureSystemPackages } from "../system-packages.ts";
import type { QuickstartFolder, Settings } from "./quickstart-folder.ts";

/** Where containerd listens on a machine that runs it as a service. */
export const USUAL_SOCKET = "/run/containerd/containerd.sock";

/** What runs the pods of the example. */
export type ChosenEngine =
  | { readonly kind: "containerd"; readonly socket: string; readonly isPrivate: boolean }
  | { readonly kind: "sim"; readonly reason: string };

/**
 * Finds or starts a containerd, after installing what is missing: the private one of an earlier run,
 * else the one that runs at the usual socket, else a new private one.
 *
 * Where none can be had, the simulated engine; `reason` says why and what to install.
 */
export async function chooseEngine(
  folder: QuickstartFolder,
  settings: Settings | undefined,
  print: (line: string) => void,
): Promise<ChosenEngine> {
  const packages = await ensureSystemPackages();
  if (packages.status === "missing") return { kind: "sim", reason: packages.advice };
  const reason = whyNoPrivateContainerd();
  if (reason !== undefined) return { kind: "sim", reason: `No containerd here: ${reason}.` };
  const hasPrivate =
    findPrivateContainerd(folder.containerdDir) !== undefined || existsSync(folder.containerdDir);
  if (!hasPrivate || settings?.socket === USUAL_SOCKET) {
    if (await answers(USUAL_SOCKET)) {
      print(`containerd runs at ${USUAL_SOCKET}; its namespace "stowage" is used.`);
      return { kind: "containerd", socket: USUAL_SOCKET, isPrivate: false };
    }
  }
  const { address, pid, started } = await startPrivateContainerd({ dir: folder.containerdDir });
  const verb = started ? "Started" : "Using";
  print(`${verb} a private containerd in ${folder.containerdDir} (process ${pid}).`);
  return { kind: "containerd", socket: address, isPrivate: true };
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
