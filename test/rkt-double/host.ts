import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  bindInto,
  credentialsOf,
  environmentOf,
  mountRootfs,
  mountsOf,
  quoted,
  rootfsOf,
} from "./app-start.ts";
import type { StartRequest } from "./fly.ts";
import { executionProblem, readInside, searchInside } from "./inside-root.ts";
import type { App, RuntimeApp } from "./manifest.ts";
import { complain, Exit } from "./output.ts";
import type { Pod } from "./pods.ts";
import { programOf } from "./programs.ts";

/** Networks that need nothing but namespaces. */
export type HostNetwork = "none" | "host";

/** What the process number one of a pod is told, in a file of the pod. */
export interface HostPlan {
  readonly hostname: string;
  /** The shell program that mounts what the apps see. */
  readonly mounts: string;
  readonly apps: readonly PlannedApp[];
}

export interface PlannedApp {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Why it cannot be started, as the pod prints it. */
  readonly problem: string | undefined;
}

const DEVICES = [
  "null c 1 3",
  "zero c 1 5",
  "full c 1 7",
  "random c 1 8",
  "urandom c 1 9",
  "tty c 5 0",
];
const NO_ACL =
  'stage1: warning: error setting journal ACLs, you\'ll need root to read the pod journal: group "rkt" not found\n';

/**
 * The shell program that the flavour host becomes: the pod's supervisor, which has the pod's process
 * number one as its only child and dies without it when it is killed.
 */
export function hostProgram(
  request: StartRequest,
  network: HostNetwork,
  init: readonly string[],
): string {
  const { pod, manifest } = request;
  if (network === "none") complain("networking: networking namespace with loopback only\n");
  if (network === "none" && (manifest.ports ?? []).length > 0) {
    end("stage1: failed to setup network: no networks found");
  }
  const implicit = manifest.apps.flatMap((app) =>
    mountsOf(app, manifest).filter(({ kind }) => kind === undefined),
  );
  const warnings = implicit.map(
    ({ name }) =>
      `stage1: warning: no volume specified for mount point "${name}", implicitly creating an "empty" volume. This volume will be removed when the pod is garbage-collected.\n`,
  );
  complain(warnings.join(""));
  const apps = manifest.apps.map((app) => plannedApp(app, request));
  complain(NO_ACL + warnings.join(""));
  const plan: HostPlan = {
    hostname: `rkt-${pod.uuid}`,
    mounts: ["set -e", ...manifest.apps.flatMap((app) => mountApp(app, request, network))].join(
      "\n",
    ),
    apps,
  };
  for (const folder of ["status", "env"])
    mkdirSync(join(pod.path, "stage1/rootfs/rkt", folder), { recursive: true });
  writeFileSync(join(pod.path, "stage1/rootfs/plan.json"), JSON.stringify(plan));
  const lost = manifest.apps
    .flatMap((app) => mountsOf(app, manifest))
    .find(({ kind, source = "" }) => kind === "host" && !existsSync(source));
  const supervisor = [
    `cd ${quoted([pod.path])}`,
    ...(lost === undefined
      ? superviseLines(pod, network, init)
      : [`echo 'Failed to stat ${lost.source}: No such file or directory' >&2`, "code=1"]),
    `echo 'Attempted to remove disk file system under "/run/systemd/nspawn/propagate/rkt-${pod.uuid}", and we can'\\''t allow that.' >&2`,
    'exit "$code"',
  ];
  // the first process that the shell starts is number one of the new pid namespace
  return `exec ${quoted([programOf("unshare"), "--pid", "--", "/bin/sh", "-c", supervisor.join("\n")])}`;
}

function superviseLines(
  pod: Pod,
  network: HostNetwork,
  init: readonly string[],
): readonly string[] {
  const spaces = [
    "--mount",
    "--propagation",
    "slave",
    "--uts",
    "--ipc",
    ...(network === "none" ? ["--net"] : []),
  ];
  const child = quoted([programOf("unshare"), ...spaces, "--", ...init, pod.path]);
  return [
    // the lock is the supervisor's alone: a pod without it has exited, whatever still runs
    `supervisor=$$ ${child} 9<&- &`,
    "child=$!",
    "trap ': > stopping; kill -TERM $child' TERM INT",
    "wait $child; code=$?",
    "while kill -0 $child 2>/dev/null; do wait $child; code=$?; done",
    "if [ -e stage1/rootfs/exit-code ]; then read -r code < stage1/rootfs/exit-code; else",
    `echo 'Container rkt-${pod.uuid} terminated by signal KILL.' >&2; code=1; fi`,
  ];
}

function plannedApp(runtime: RuntimeApp, { pod, trees, manifest }: StartRequest): PlannedApp {
  const { name, app } = runtime;
  const tree = trees.get(name);
  if (app === undefined || tree === undefined) return end("stage1: app without a command");
  const root = join(tree.path, "rootfs");
  const credentials = credentialsOf(root, app);
  if ("problem" in credentials) {
    return end(`stage1: cannot initialize immutable environment: ${credentials.problem}`);
  }
  const [program = "", ...args] = app.exec.map((word) => expanded(word, pod));
  const environment = environmentOf(app);
  const folders = (environment.find(({ name: one }) => one === "PATH")?.value ?? "").split(":");
  const path = program.includes("/") ? program : (searchInside(root, folders, program) ?? program);
  const isMounted = mountsOf(runtime, manifest).some((mount) => path.startsWith(mount.path));
  const problem = isMounted ? undefined : executionProblem(root, path);
  const { uid, gids } = credentials;
  return {
    name,
    command: [
      ...[programOf("setpriv"), "--regid", `${gids[0]}`, "--groups", gids.join(",")],
      ...[
        programOf("unshare"),
        "-R",
        join(pod.path, rootfsOf(name)),
        "-w",
        app.workingDirectory ?? "/",
      ],
      ...["-S", `${uid}`, "--", path, ...args],
    ],
    environment: hostEnvironment(name, app),
    problem: problem === undefined ? undefined : startProblem(path, problem),
  };
}

function startProblem(path: string, problem: "missing" | "denied"): string {
  if (problem === "denied") return `Error: "${path}" is not executable`;
  return `Error: Unable to open "${path}": No such file or directory`;
}

/** systemd's specifiers in the words of a command. */
function expanded(word: string, { uuid }: Pod): string {
  const values: Readonly<Record<string, string>> = {
    "%": "%",
    s: "/bin/bash",
    h: "/root",
    H: `rkt-${uuid}`,
    M: "",
  };
  return word.replace(/%([%shHM])/g, (_match, sign: string) => values[sign] ?? "");
}

function hostEnvironment(name: string, app: App): Readonly<Record<string, string>> {
  const all = new Map(environmentOf(app).map((one) => [one.name, one.value]));
  const first = ["PATH", "HOME", "LOGNAME", "USER", "SHELL"].map(
    (key) => [key, all.get(key) ?? ""] as const,
  );
  const rest = [...all].filter(([key]) => !first.some(([one]) => one === key));
  return Object.fromEntries([
    ["LANG", "C.UTF-8"],
    ...first,
    ["INVOCATION_ID", Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")],
    ["TERM", "xterm"],
    ["JOURNAL_STREAM", "9:1"],
    ["SYSTEMD_EXEC_PID", "6"],
    // only the first line of a value arrives
    ...rest.map(([key, value]) => [key, value.split("\n")[0] ?? ""]),
    ["AC_APP_NAME", name],
  ]);
}

function mountApp(
  runtime: RuntimeApp,
  { pod, trees, manifest }: StartRequest,
  network: HostNetwork,
): readonly string[] {
  const tree = trees.get(runtime.name);
  if (tree === undefined) return [];
  const root = join(pod.path, rootfsOf(runtime.name));
  const at = (path: string) => quoted([join(root, path)]);
  const isBare = readInside(join(tree.path, "rootfs"), "/etc/hosts") === "";
  const hosts = `127.0.0.1 localhost localhost.domain localhost4 localhost4.localdomain4 rkt-${pod.uuid}`;
  return [
    ...mountRootfs(pod, tree.path, tree.id, runtime.name),
    `mkdir -p ${["proc", "sys", "dev", "tmp", "etc"].map(at).join(" ")}`,
    ...(isBare
      ? [`printf '%s\\n' '# This is the default rkt /etc/hosts' '${hosts}' > ${at("etc/hosts")}`]
      : []),
    `mount -t proc proc ${at("proc")}`,
    network === "host"
      ? `mount --rbind /sys ${at("sys")}`
      : `mount -t sysfs -o ro sysfs ${at("sys")}`,
    `mount -t tmpfs -o mode=755,nosuid tmpfs ${at("dev")}`,
    ...DEVICES.map((device) => `mknod -m 666 ${at("dev")}/${device}`),
    `mkdir ${at("dev/shm")} ${at("dev/pts")}`,
    `mount -t tmpfs -o mode=1777 tmpfs ${at("dev/shm")}`,
    `mount -t devpts -o newinstance,ptmxmode=666 devpts ${at("dev/pts")}`,
    `ln -s pts/ptmx ${at("dev/ptmx")}; ln -s /proc/self/fd ${at("dev/fd")}`,
    ...mountsOf(runtime, manifest).flatMap(({ name, kind, source, path, readOnly }) => {
      if (kind === "host") return bindInto(root, source ?? "", path, readOnly);
      return [
        ...emptyVolume(
          pod,
          name,
          manifest.volumes?.find((one) => one.name === name),
        ),
        ...bindInto(root, sharedVolume(pod, name), path, readOnly),
      ];
    }),
    ...(runtime.readOnlyRootFS === true ? [`mount -o remount,bind,ro ${at("/")}`] : []),
  ];
}

function sharedVolume({ path }: Pod, name: string): string {
  return join(path, "sharedVolumes", name);
}

function emptyVolume(
  pod: Pod,
  name: string,
  volume: { readonly mode?: string; readonly uid?: number; readonly gid?: number } | undefined,
): readonly string[] {
  const folder = quoted([sharedVolume(pod, name)]);
  const { mode = "0755", uid = 0, gid = 0 } = volume ?? {};
  return [`mkdir -p ${folder}`, `chmod ${mode} ${folder}`, `chown ${uid}:${gid} ${folder}`];
}

function end(message: string): never {
  complain(`${message}\n`);
  throw new Exit(254);
}
