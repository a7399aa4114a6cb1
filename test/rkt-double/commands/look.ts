import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandLine, failAs, failWithUsage } from "../arguments.ts";
import { goAgo, goDuration, goJson, goTable, goTime } from "../go-format.ts";
import type { ImageManifest } from "../image-store.ts";
import { canonicalManifest, type PodManifest } from "../manifest.ts";
import { complain, Exit, print } from "../output.ts";
import { manifestOf, networkWords, podView } from "../pod-view.ts";
import {
  AFTER_RUN,
  appExitCode,
  createdAt,
  findPod,
  listPods,
  type Pod,
  readPodFile,
  startedAt,
  supervisorPid,
} from "../pods.ts";
import { wantedPod } from "./wanted-pod.ts";

const UNTIMED = "invalid creation time";

/** `rkt list` */
export function list({ flags }: CommandLine, dataDir: string): void {
  const format = flags.get("format");
  const pods = listPods(dataDir);
  if (format === undefined) {
    printTable(pods, flags);
    return;
  }
  const views = pods.map(podView);
  const found = views.filter((view) => view !== undefined);
  print(`${goJson(found.length === 0 ? null : found, indentOf(format))}\n`);
  const lost = views.length - found.length;
  if (lost === 0) return;
  const rule = "-".repeat(40);
  const lines = [
    `${lost} error(s) encountered when listing pods:`,
    ...Array.from({ length: lost }, () => [rule, UNTIMED]).flat(),
    rule,
    "misc:",
    "  rkt's appc version: 0.8.11",
    "",
  ];
  complain(lines.map((line) => `list: ${line}\n`).join(""));
}

/** `rkt status` */
export async function status(line: CommandLine, dataDir: string): Promise<void> {
  let pod = wantedPod("status", dataDir, podPrefix(line));
  const ready = waitTime(line, "wait-ready");
  if (ready !== 0) {
    pod = await poll(dataDir, pod, ready, "readiness", isReady);
  }
  const wait = waitTime(line, "wait");
  if (wait !== 0) {
    pod = await poll(dataDir, pod, wait, "to finish", ({ state }) => AFTER_RUN.includes(state));
  }
  const format = line.flags.get("format");
  if (format === undefined) {
    printStatus(pod);
    return;
  }
  const view = podView(pod);
  if (view === undefined) {
    failAs("status", `unable to print status: error converting pod: ${UNTIMED}`);
  }
  print(`${goJson(view, indentOf(format))}\n`);
}

/** Whether systemd in the pod said so; what the transcripts were recorded with never did. */
function isReady(pod: Pod): boolean {
  return readPodFile(pod, "stage1/rootfs/rkt/supervisor-status") === "ready";
}

/** `rkt cat-manifest` */
export function catManifest(line: CommandLine, dataDir: string): void {
  const pod = wantedPod("cat-manifest", dataDir, podPrefix(line));
  const manifest = manifestOf(pod);
  if (manifest === undefined) throw new Exit(254);
  const indent = line.flags.get("pretty-print") === "false" ? "" : "\t";
  print(`${goJson(canonicalManifest({ ...manifest }), indent)}\n`);
}

/** The UUID that a command was given, or that is in its `--uuid-file`. */
export function podPrefix({ command, words, flags }: CommandLine): string {
  const file = flags.get("uuid-file");
  if (file === undefined) return words[0] ?? failWithUsage(command);
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const said = `${command}: unable to resolve UUID from file: open ${file}: no such file or directory\n`;
    complain(said);
    throw new Exit(command === "status" ? 1 : 254, { cause: error });
  }
}

function printTable(pods: readonly Pod[], flags: CommandLine["flags"]): void {
  const full = flags.get("full") === "true";
  const time = full ? goTime : goAgo;
  const columns = [
    "UUID",
    "APP",
    "IMAGE NAME",
    "IMAGE ID",
    "STATE",
    "CREATED",
    "STARTED",
    "NETWORKS",
  ];
  const rows = pods.flatMap((pod) => {
    const started = startedAt(pod);
    const uuid = full ? pod.uuid : pod.uuid.slice(0, 8);
    const tail = [
      pod.state,
      time(createdAt(pod)),
      started === undefined ? "" : time(started),
      networkWords(pod),
    ];
    const apps = manifestOf(pod)?.apps.map((app) => [
      app.name,
      imageName(pod, app.name),
      app.image.id.slice(0, 19),
    ]);
    const cells = apps === undefined || apps.length === 0 ? [["-", "-", "-"]] : apps;
    return cells.map((app, at) =>
      at === 0 ? [uuid, ...app, ...tail] : ["", ...app, "", "", "", ""],
    );
  });
  const legend = flags.get("no-legend") === "true" ? [] : [columns];
  const all = [...legend, ...rows];
  const shown = full ? all : all.map((row) => row.filter((_, at) => at !== 3));
  print(shown.length === 0 ? "\n" : goTable(shown));
}

function imageName(pod: Pod, app: string): string {
  const text = readPodFile(pod, join("appsinfo", app, "manifest"));
  if (text === undefined) return "--";
  const { name, labels } = JSON.parse(text) as ImageManifest;
  const version = labels?.find((label) => label.name === "version")?.value;
  return version === undefined ? name : `${name}:${version}`;
}

function printStatus(pod: Pod): void {
  const [started, pid] = [startedAt(pod), supervisorPid(pod)];
  const hasRun = pod.state === "running" || AFTER_RUN.includes(pod.state);
  const isOver = pod.state === "exited" || pod.state === "exited garbage";
  const lines = [
    `state=${pod.state}`,
    `created=${goTime(createdAt(pod))}`,
    ...(started === undefined ? [] : [`started=${goTime(started)}`]),
    ...(pod.state === "running" || pod.state === "exited" ? [`networks=${networkWords(pod)}`] : []),
    ...(hasRun && pid !== undefined ? [`pid=${pid}`] : []),
    ...(hasRun ? [`exited=${isOver}`] : []),
    ...(hasRun && pod.state !== "running" ? appCodes(pod, manifestOf(pod)) : []),
  ];
  print(lines.map((line) => `${line}\n`).join(""));
}

function appCodes(pod: Pod, manifest: PodManifest | undefined): readonly string[] {
  return (manifest?.apps ?? []).flatMap(({ name }) => {
    const code = appExitCode(pod, name);
    return code === undefined ? [] : [`app-${name}=${code}`];
  });
}

/** How long to wait, in milliseconds; below zero for ever. */
function waitTime({ command, flags }: CommandLine, flag: string): number {
  const text = flags.get(flag);
  if (text === undefined || text === "false") return 0;
  if (text === "" || text === "true") return -1;
  return goDuration(text) ?? failWithUsage(command);
}

async function poll(
  dataDir: string,
  pod: Pod,
  waitMs: number,
  what: string,
  isDone: (pod: Pod) => boolean,
): Promise<Pod> {
  const end = waitMs < 0 ? Number.POSITIVE_INFINITY : Date.now() + waitMs;
  for (;;) {
    const now = findPod(dataDir, pod.uuid);
    // a pod that was removed meanwhile has finished
    if ("problem" in now) return pod;
    if (isDone(now)) return now;
    if (Date.now() >= end) {
      const waited = what === "readiness" ? "for pod readiness" : `for pod ${what}`;
      failAs("status", `error waiting ${waited}: context deadline exceeded`);
    }
    await delay(100);
  }
}

function indentOf(format: string): string {
  return format === "json-pretty" ? "\t" : "";
}
