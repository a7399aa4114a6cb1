import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { mountRootfs, quoted, rootfsOf } from "../app-start.ts";
import { type CommandLine, failAs } from "../arguments.ts";
import { ImageStore } from "../image-store.ts";
import { refuse } from "../output.ts";
import { readPodFile } from "../pods.ts";
import { programOf } from "../programs.ts";
import { wantedPod } from "./wanted-pod.ts";

/** `rkt export`: an ACI of an ended app with what it wrote. */
export function exportApp({ words, flags }: CommandLine, dataDir: string): void {
  const [prefix = "", file = ""] = words;
  const pod = wantedPod("export", dataDir, prefix);
  if (pod.state !== "exited")
    failAs("export", "pod is not exited. Only exited pods can be exported");
  const app = flags.get("app") ?? refuse("export without --app");
  const treeId = readPodFile(pod, join("appsinfo", app, "treeStoreID")) ?? refuse("such an app");
  const folder = join(pod.path, "appsinfo", app);
  const rootfs = join(pod.path, rootfsOf(app));
  const lines = [
    "set -e",
    ...mountRootfs(pod, new ImageStore(dataDir).tree(treeId), treeId, app),
    `exec tar --numeric-owner -cf ${quoted([file, "-C", folder, "manifest", "-C", join(rootfs, "..")])} rootfs`,
  ];
  const args = ["--mount", "--propagation", "slave", "--", "/bin/sh", "-c", lines.join("\n")];
  const { status } = spawnSync(programOf("unshare"), args, { stdio: ["ignore", "ignore", 2] });
  if (status !== 0) refuse("an app that cannot be packed");
}
