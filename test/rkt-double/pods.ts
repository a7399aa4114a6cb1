import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { lockReader } from "./locks.ts";
import { refuse } from "./output.ts";

/** The folders under `pods/`; a pod moves from one to the next by a rename. */
export const PLACES = [
  "embryo",
  "prepare",
  "prepared",
  "run",
  "exited-garbage",
  "garbage",
] as const;
export type Place = (typeof PLACES)[number];

/** A pod's state, in rkt's words. */
export type PodState =
  | "embryo"
  | "preparing"
  | "aborted prepare"
  | "prepared"
  | "running"
  | "exited"
  | "exited garbage"
  | "exited deleting"
  | "garbage"
  | "deleting";

/** Where a pod is, and in what state. */
export interface Pod {
  readonly uuid: string;
  readonly path: string;
  readonly state: PodState;
}

/** By place: the state of a pod under a lock, and of one without. */
const STATES: Readonly<Record<Place, readonly [locked: PodState, free: PodState]>> = {
  embryo: ["embryo", "embryo"],
  prepare: ["preparing", "aborted prepare"],
  prepared: ["prepared", "prepared"],
  run: ["running", "exited"],
  "exited-garbage": ["exited deleting", "exited garbage"],
  garbage: ["deleting", "garbage"],
};

/** States of pods that have ended. */
export const AFTER_RUN: readonly PodState[] = ["exited", "exited garbage", "exited deleting"];

/** Makes what is missing of the folders, as any command of rkt does. */
export function makePlaces(dataDir: string): void {
  for (const place of PLACES) mkdirSync(placeOf(dataDir, place), { recursive: true, mode: 0o750 });
}

/** The folder of a place. */
export function placeOf(dataDir: string, place: Place): string {
  return join(dataDir, "pods", place);
}

/** The pods in some places, by UUID. */
export function listPods(
  dataDir: string,
  places: readonly Place[] = ["prepare", "prepared", "run", "exited-garbage"],
): readonly Pod[] {
  const isLocked = lockReader();
  return places
    .flatMap((place) => readPlace(dataDir, place, isLocked))
    .toSorted((a, b) => (a.uuid < b.uuid ? -1 : 1));
}

function readPlace(dataDir: string, place: Place, isLocked: (path: string) => boolean): Pod[] {
  return readdirSync(placeOf(dataDir, place)).flatMap((uuid) => {
    const path = join(placeOf(dataDir, place), uuid);
    try {
      return [{ uuid, path, state: STATES[place][isLocked(path) ? 0 : 1] }];
    } catch {
      return []; // it has moved on since
    }
  });
}

/** The pod of a UUID or the start of one; undefined, or a message, when there is none. */
export function findPod(dataDir: string, prefix: string): Pod | { readonly problem: string } {
  const matches = listPods(dataDir).filter(({ uuid }) => uuid.startsWith(prefix));
  if (matches.length > 1) return refuse(`UUID "${prefix}", which several pods have`);
  return matches[0] ?? { problem: `no matches found for "${prefix}"` };
}

/** A file of a pod, or undefined. */
export function readPodFile(pod: Pod, name: string): string | undefined {
  try {
    return readFileSync(join(pod.path, name), "utf8");
  } catch {
    return undefined;
  }
}

/** When a file of a pod was last written, in nanoseconds. */
function writtenAt(pod: Pod, name: string): bigint | undefined {
  return statSync(join(pod.path, name), { bigint: true, throwIfNoEntry: false })?.mtimeNs;
}

export function createdAt(pod: Pod): bigint | undefined {
  return writtenAt(pod, "pod-created");
}

/** When the pod's process was there: its number is written then. */
export function startedAt(pod: Pod): bigint | undefined {
  return writtenAt(pod, "ppid") ?? writtenAt(pod, "pid");
}

/** When an ended pod was marked as garbage. */
export function markedAt(pod: Pod): bigint | undefined {
  if (pod.state !== "exited garbage" && pod.state !== "exited deleting") return undefined;
  return statSync(pod.path, { bigint: true }).ctimeNs;
}

/** The supervisor's process number. */
export function supervisorPid(pod: Pod): number | undefined {
  const text = readPodFile(pod, "ppid") ?? readPodFile(pod, "pid");
  return text === undefined || text === "" ? undefined : Number(text);
}

/** The exit code of an app, where its pod recorded one. */
export function appExitCode(pod: Pod, app: string): number | undefined {
  const text = readPodFile(pod, join("stage1/rootfs/rkt/status", app));
  return text === undefined || text === "" ? undefined : Number(text);
}

/** How a pod is run. */
export type Flavour = "host" | "fly";

/** The flavour of the stage1 that a pod was prepared with. */
export function flavourOf(pod: Pod): Flavour {
  return (readPodFile(pod, "stage1/manifest") ?? "").includes("stage1-fly") ? "fly" : "host";
}
