import { existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { type CommandLine, failAs, failWithUsage } from "../arguments.ts";
import { goDuration, goDurationText } from "../go-format.ts";
import { takeLock } from "../locks.ts";
import { complain, Exit, print } from "../output.ts";
import {
  AFTER_RUN,
  findPod,
  flavourOf,
  listPods,
  type Place,
  type Pod,
  placeOf,
  readPodFile,
  supervisorPid,
} from "../pods.ts";
import { podPrefix } from "./look.ts";

const NANOSECONDS_IN_MILLISECOND = 1_000_000n;

/** `rkt stop` */
export function stop(line: CommandLine, dataDir: string): void {
  let failed = 0;
  for (const prefix of podPrefixes(line)) {
    const pod = findPod(dataDir, prefix);
    const problem = "problem" in pod ? `cannot get pod: ${pod.problem}` : stopPod(pod, line);
    if (problem === undefined) continue;
    complain(`stop: ${problem}\n`);
    failed += 1;
  }
  if (failed > 0) failAs("stop", `failed to stop ${failed} pod(s)`);
}

function stopPod(pod: Pod, { flags }: CommandLine): string | undefined {
  if (AFTER_RUN.includes(pod.state)) {
    print(`pod "${pod.uuid}" is already stopped\n`);
    return undefined;
  }
  if (pod.state !== "running") return `pod "${pod.uuid}" is not running`;
  const isFly = flavourOf(pod) === "fly";
  const pid = supervisorPid(pod);
  if (pid === undefined) {
    const file = isFly ? "pid" : "ppid";
    complain(`error reading pid: open ${file}: no such file or directory\n`);
    return `error stopping "${pod.uuid}": exit status 254`;
  }
  const signal = flags.get("force") === "true" ? "SIGKILL" : "SIGTERM";
  // what outlives the process of a pod of fly is found by its group
  const targets = isFly && !isAlive(pid) ? [-Number(readPodFile(pod, "pgid"))] : [pid];
  if (!isFly && signal === "SIGKILL") targets.unshift(...childrenOf(pid));
  for (const target of targets) endProcess(target, signal);
  print(`"${pod.uuid}"\n`);
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended
  }
}

/** The processes that a process has started. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text
      .split(" ")
      .filter((word) => word !== "")
      .map(Number);
  } catch {
    return [];
  }
}

/** `rkt rm` */
export function rm(line: CommandLine, dataDir: string): void {
  let isWhole = true;
  for (const prefix of podPrefixes(line)) {
    const pod = findPod(dataDir, prefix);
    if ("problem" in pod) complain(`rm: cannot get pod: ${pod.problem}\n`);
    const isGone = "problem" in pod ? false : removePod(pod, dataDir);
    if (isGone) print(`"${(pod as Pod).uuid}"\n`);
    isWhole &&= isGone;
  }
  if (!isWhole) failAs("rm", "failed to remove one or more pods");
}

function podPrefixes(line: CommandLine): readonly string[] {
  const { command, words, flags } = line;
  if (!flags.has("uuid-file")) return words.length > 0 ? words : failWithUsage(command);
  try {
    return [podPrefix(line)];
  } catch (error) {
    if (error instanceof Exit && command === "rm")
      complain("rm: failed to remove one or more pods\n");
    throw error;
  }
}

function removePod(pod: Pod, dataDir: string): boolean {
  switch (pod.state) {
    case "running":
      complain(`rm: pod "${pod.uuid}" is currently running\n`);
      return false;
    case "embryo":
    case "preparing":
      complain(`rm: pod "${pod.uuid}" is currently being prepared\n`);
      return false;
    case "deleting":
    case "exited deleting":
      complain(`rm: pod "${pod.uuid}" is currently being deleted\n`);
      return false;
    case "aborted prepare":
      complain(`rm: moving failed prepare "${pod.uuid}" to garbage\n`);
      return deletePod(move(pod, dataDir, "garbage"));
    case "prepared":
      complain(`rm: moving expired prepared pod "${pod.uuid}" to garbage\n`);
      return deletePod(move(pod, dataDir, "garbage"));
    case "exited":
      return deletePod(move(pod, dataDir, "exited-garbage"));
    case "exited garbage":
    case "garbage":
      return deletePod(pod.path);
    default:
      pod.state satisfies never;
      return false;
  }
}

/** Moves a pod to another place. @returns where it is now */
function move(pod: Pod, dataDir: string, place: Place): string {
  const path = join(placeOf(dataDir, place), basename(pod.path));
  try {
    renameSync(pod.path, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return path;
}

function deletePod(path: string): boolean {
  // another may be at it
  if (!existsSync(path) || !takeLock(path)) return false;
  // the manifest goes last: what was begun can be seen and done again
  rmSync(join(path, "stage1"), { recursive: true, force: true });
  rmSync(path, { recursive: true, force: true });
  return true;
}

/** `rkt gc` */
export function gc({ flags, command }: CommandLine, dataDir: string): void {
  for (const pod of listPods(dataDir, ["run"]).filter(({ state }) => state === "exited")) {
    complain(`gc: moving pod "${pod.uuid}" to garbage\n`);
    move(pod, dataDir, "exited-garbage");
  }
  for (const pod of listPods(dataDir, ["prepare"]).filter(
    ({ state }) => state === "aborted prepare",
  )) {
    complain(`gc: moving failed prepare "${pod.uuid}" to garbage\n`);
    move(pod, dataDir, "garbage");
  }
  if (flags.get("mark-only") === "true") return;
  const duration = (flag: string, otherwise: string) =>
    goDuration(flags.get(flag) ?? otherwise) ?? failWithUsage(command);
  const expiry = duration("expire-prepared", "24h");
  for (const pod of listPods(dataDir, ["prepared"]).filter((one) => isOlder(one, expiry))) {
    complain(`gc: moving expired prepared pod "${pod.uuid}" to garbage\n`);
    move(pod, dataDir, "garbage");
  }
  const grace = duration("grace-period", "30m");
  for (const pod of listPods(dataDir, ["exited-garbage"])) {
    if (isOlder(pod, grace)) collect(pod);
    else {
      const period = goDurationText(grace);
      complain(`gc: pod "${pod.uuid}" not removed: still within grace period (${period})\n`);
    }
  }
  for (const pod of listPods(dataDir, ["garbage"])) collect(pod);
}

function collect(pod: Pod): void {
  print(`Garbage collecting pod "${pod.uuid}"\n`);
  deletePod(pod.path);
}

/** Whether a pod's folder was last moved longer ago than that. */
function isOlder(pod: Pod, milliseconds: number): boolean {
  const { ctimeNs } = statSync(pod.path, { bigint: true });
  return Date.now() > Number(ctimeNs / NANOSECONDS_IN_MILLISECOND) + milliseconds;
}
