import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type CommandLine, failAs } from "../arguments.ts";
import { FLY_PROGRAM, type StartRequest } from "../fly.ts";
import { type HostNetwork, hostProgram } from "../host.ts";
import { type ImageManifest, ImageStore } from "../image-store.ts";
import { complain, Exit, refuse } from "../output.ts";
import { manifestOf } from "../pod-view.ts";
import { type Pod, placeOf, readPodFile } from "../pods.ts";
import { preparePod } from "./prepare.ts";
import { wantedPod } from "./wanted-pod.ts";

/** What the launcher runs in its place comes to it through this. */
const PLAN_FD = 3;

/** `rkt run`, before the pod is prepared: the launcher is told its UUID. */
export function runFirst(line: CommandLine, dataDir: string): void {
  writeSync(PLAN_FD, preparePod(line, dataDir));
}

/** `rkt run-prepared`, and the rest of `rkt run`; the launcher has the pod's lock where that was free. */
export function start(line: CommandLine, dataDir: string): void {
  const { command } = line;
  const pod = wantedPod(command, dataDir, process.env["RKT_DOUBLE_POD"] || (line.words[0] ?? ""));
  if (pod.state !== "prepared" || !holdsLock(pod))
    failAs(command, `pod "${pod.uuid}" is not prepared`);
  const manifest = manifestOf(pod) ?? refuse("a pod without a manifest");
  const path = join(placeOf(dataDir, "run"), pod.uuid);
  renameSync(pod.path, path);
  complain(`${command}: group "rkt" not found, will use default gid when rendering images\n`);
  const moved: Pod = { ...pod, path, state: "running" };
  const fly = readPodFile(moved, join("stage1", FLY_PROGRAM));
  if (fly !== undefined) {
    writeSync(PLAN_FD, fly);
    return;
  }
  const init = [process.execPath, join(import.meta.dirname, "init.mjs")];
  const request = { pod: moved, manifest, ...appsOf(moved, dataDir) };
  writeSync(PLAN_FD, hostProgram(request, networkOf(line), init));
}

/** Whether the launcher, which is this program's parent, has the lock that it tried to take. */
function holdsLock(pod: Pod): boolean {
  const mine = statSync(pod.path, { bigint: true });
  try {
    const held = statSync(`/proc/${process.ppid}/fd/9`, { bigint: true });
    return (
      process.env["RKT_DOUBLE_LOCKED"] === "yes" && held.ino === mine.ino && held.dev === mine.dev
    );
  } catch {
    return false;
  }
}

function appsOf(pod: Pod, dataDir: string): Pick<StartRequest, "trees" | "images"> {
  const store = new ImageStore(dataDir);
  const names = readdirSync(join(pod.path, "appsinfo"));
  const read = (name: string, file: string) => readPodFile(pod, join("appsinfo", name, file)) ?? "";
  return {
    trees: new Map(
      names.map((name) => {
        const id = read(name, "treeStoreID");
        return [name, { id, path: store.tree(id) }];
      }),
    ),
    images: new Map(
      names.map((name) => [name, JSON.parse(read(name, "manifest")) as ImageManifest]),
    ),
  };
}

/** Which network a pod of the flavour host gets; others than these two need plug-ins that rkt brings. */
function networkOf({ command, flags }: CommandLine): HostNetwork {
  const names = (flags.get("net") || "default").split(",");
  const [name = ""] = names;
  if (names.length === 1 && (name === "none" || name === "host")) return name;
  const folder = join(flags.get("local-config") ?? "/etc/rkt", "net.d");
  const unknown = names
    .map((one) => one.split(":")[0] ?? "")
    .filter((one) => one !== "default" && !(command === "run" && isConfigured(folder, one)));
  if (unknown.length === 0) return refuse(`network "${names.join(",")}"`);
  complain(`stage1: failed to setup network: networks not found: ${unknown.join(", ")}\n`);
  throw new Exit(254);
}

function isConfigured(folder: string, network: string): boolean {
  if (!existsSync(folder)) return false;
  return readdirSync(folder).some((file) => {
    const { name } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
      readonly name?: string;
    };
    return name === network;
  });
}
