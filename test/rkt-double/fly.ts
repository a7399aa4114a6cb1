import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AppMount,
  asUser,
  bindInto,
  credentialsOf,
  environmentOf,
  mountRootfs,
  mountsOf,
  quoted,
  rootfsOf,
} from "./app-start.ts";
import type { ImageManifest } from "./image-store.ts";
import { executionProblem, resolveInside, searchInside } from "./inside-root.ts";
import type { PodManifest, RuntimeApp } from "./manifest.ts";
import type { Pod } from "./pods.ts";
import { programOf } from "./programs.ts";

/** The file, beside the manifest of stage1, with what a prepared pod of fly becomes. */
export const FLY_PROGRAM = "program";
/** The one with what that does in the pod's mounts: an argument would hold too little. */
const INSIDE = "inside";

/** The tree of an app's image. */
export interface AppTree {
  readonly id: string;
  readonly path: string;
}

/** What stage1 needs to start a pod. */
export interface StartRequest {
  readonly pod: Pod;
  readonly manifest: PodManifest;
  /** By app. */
  readonly trees: ReadonlyMap<string, AppTree>;
  readonly images: ReadonlyMap<string, ImageManifest>;
}

/**
 * The shell programs that the flavour fly becomes, by the names of their files: the app itself, in its root file
 * system, with nothing else of its own.
 *
 * Unlike rkt it mounts in a mount namespace of the pod: what is left of a killed test must not hold the
 * host's `/dev` where somebody removes a folder.
 */
export function flyFiles(request: StartRequest): ReadonlyMap<string, string> {
  const { pod, manifest, trees } = request;
  const [app, ...others] = manifest.apps;
  if (app === undefined || others.length > 0) {
    return only(ending("fly only supports 1 application per Pod for now"));
  }
  const tree = trees.get(app.name);
  if (app.app === undefined || tree === undefined) return only(ending("app without a command"));
  if (app.app.exec.length === 0) {
    const name = request.images.get(app.name)?.name ?? "";
    return only(ending(`image "${name}" has an empty "exec" (try --exec=BINARY)`));
  }
  const mounts = mountsOf(app, manifest);
  const missing = imageMountWithoutVolume(app, mounts, request);
  if (missing !== undefined) return only(ending(missing));
  const inner = [
    "set -e",
    `mkdir -p ${quoted(["status", "env"].map((name) => join(pod.path, "stage1/rootfs/rkt", name)))}`,
    ...mountRootfs(pod, tree.path, tree.id, app.name),
    ...hostFolders(join(pod.path, rootfsOf(app.name))),
    ...mounts.flatMap((mount) => mountLines(pod, app.name, mount)),
    recordProcess(pod),
    ...runApp(pod, app, join(tree.path, "rootfs"), mounts),
  ];
  const shell = ["/bin/sh", join(pod.path, "stage1", INSIDE)];
  const outer = quoted([programOf("unshare"), "--mount", "--propagation", "slave", "--", ...shell]);
  return new Map([
    [FLY_PROGRAM, `exec ${outer}`],
    [INSIDE, inner.join("\n")],
  ]);
}

function only(program: string): ReadonlyMap<string, string> {
  return new Map([[FLY_PROGRAM, program]]);
}

function ending(message: string): string {
  return `printf '%s\\n' ${quoted([`run: ${message}`])} >&2; exit 254`;
}

function hostFolders(rootfs: string): readonly string[] {
  const [hosts, tmp] = [quoted([join(rootfs, "etc/hosts")]), quoted([join(rootfs, "tmp")])];
  return [
    `mkdir -p ${quoted(["dev", "proc", "sys", "tmp", "etc"].map((name) => join(rootfs, name)))}`,
    ...["dev", "proc", "sys"].map(
      (name) => `mount --rbind /${name} ${quoted([join(rootfs, name)])}`,
    ),
    `mount -t tmpfs tmpfs ${tmp}`,
    `[ -e ${hosts} ] || echo '127.0.0.1 localhost localdomain' > ${hosts}`,
  ];
}

/** Writes which process the pod is: this shell, and then the app in its place. */
function recordProcess({ path }: Pod): string {
  const file = (name: string) => quoted([join(path, name)]);
  return `read -r stat < /proc/$$/stat; set -- \${stat##*) }; echo "$$" > ${file("pid")}; echo "$3" > ${file("pgid")}`;
}

function runApp(
  pod: Pod,
  runtime: RuntimeApp,
  root: string,
  mounts: readonly AppMount[],
): readonly string[] {
  const { app, name } = runtime;
  if (app === undefined) return [];
  const credentials = credentialsOf(root, app);
  if ("problem" in credentials) {
    return [ending(`failed to lookup process credentials: ${credentials.problem}`)];
  }
  const environment = environmentOf(app).map((one) => `${one.name}=${one.value}`);
  const environmentFile = join(pod.path, "stage1/rootfs/rkt/env", name);
  const [program = "", ...args] = app.exec;
  const folder = app.workingDirectory ?? "";
  const path = programPath(root, program, folder, app.environment);
  if (path === undefined) return [ending(pathProblem(program, folder, app.environment))];
  const isMounted = (one: string) => mounts.some((mount) => one.startsWith(mount.path));
  const problem = isMounted(path) ? undefined : executionProblem(root, path);
  return [
    `printf '%s\\n' ${quoted(environment)} > ${quoted([environmentFile])}`,
    ...(folder === "" || isMounted(folder) || resolveInside(root, folder) !== undefined
      ? []
      : [
          ending(
            `can't change to working directory "${folder}": chdir ${folder}: no such file or directory`,
          ),
        ]),
    ...(problem === undefined
      ? []
      : [ending(`can't execute "${program}": ${EXEC_PROBLEMS[problem]}`)]),
    `exec ${quoted([
      ...[programOf("env"), "-i", ...environment],
      ...asUser(credentials),
      ...[
        programOf("unshare"),
        "-R",
        join(pod.path, rootfsOf(name)),
        "-w",
        folder === "" ? "/" : folder,
      ],
      ...["-S", `${credentials.uid}`, "--", path, ...args],
    ])}`,
  ];
}

const EXEC_PROBLEMS = {
  missing: "no such file or directory",
  denied: "permission denied",
} as const;

type Environment = readonly { readonly name: string; readonly value: string }[] | undefined;

function searchFolders(folder: string, environment: Environment): readonly string[] {
  const path = environment?.find(({ name }) => name === "PATH")?.value ?? "/bin:/usr/bin";
  return [folder, ...path.split(":")];
}

function programPath(root: string, program: string, folder: string, env: Environment) {
  if (program.startsWith("/")) return program;
  if (program.includes("/")) return join(folder, program);
  return searchInside(root, searchFolders(folder, env), program);
}

function pathProblem(program: string, folder: string, environment: Environment): string {
  const folders = searchFolders(folder, environment).join(":");
  return `can't find the absolute executable for "${program}": unable to find "${program}" in "${folders}"`;
}

function imageMountWithoutVolume(
  { name }: RuntimeApp,
  mounts: readonly AppMount[],
  { images, manifest }: StartRequest,
): string | undefined {
  const points = images.get(name)?.app?.mountPoints ?? [];
  const volumes = manifest.volumes ?? [];
  const lost = points.find(
    (point) =>
      !volumes.some((volume) => volume.name === point.name) ||
      !mounts.some((mount) => mount.name === point.name),
  );
  return lost && `can't evaluate mounts: missing volume for mountpoint "${lost.name}"`;
}

function mountLines(pod: Pod, app: string, mount: AppMount): readonly string[] {
  const { kind, source, path, readOnly } = mount;
  if (kind !== "host" || source === undefined) {
    return [
      ending(`can't mount "" on "${rootfsOf(app)}${path}" with flags 4096: invalid argument`),
    ];
  }
  const lost = ending(`stat of host path ${source}: stat ${source}: no such file or directory`);
  return [
    `[ -e ${quoted([source])} ] || { ${lost}; }`,
    ...bindInto(join(pod.path, rootfsOf(app)), source, path, readOnly),
  ];
}

/** How a process gets into a running pod of fly. */
export function flyEntry(
  pod: Pod,
  manifest: PodManifest,
  app: string,
  words: readonly string[],
): string {
  const says = (message: string) =>
    `printf '%s\\n' ${quoted([`fly-enter: ${message}`])} >&2; exit 254`;
  const pid = Number(readFileSync(join(pod.path, "pid"), "utf8"));
  const file = join(pod.path, "stage1/rootfs/rkt/env", app);
  if (!existsSync(file))
    return says(`Failed to read app env: open ${file}: no such file or directory`);
  const environment = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const root = `/proc/${pid}/root`;
  const [program = ""] = words;
  const problem = program.startsWith("/") ? executionProblem(root, program) : "missing";
  if (problem !== undefined) return says(`exec failed: ${EXEC_PROBLEMS[problem]}`);
  const runtime = manifest.apps[0]?.app;
  const credentials = runtime === undefined ? undefined : credentialsOf(root, runtime);
  if (credentials === undefined || "problem" in credentials)
    return says("failed to lookup process credentials");
  return `exec ${quoted([
    ...[programOf("env"), "-i", ...environment],
    ...asUser(credentials),
    ...[
      programOf("nsenter"),
      "-t",
      `${pid}`,
      "-m",
      "-r",
      `--wd=${root}`,
      "-S",
      `${credentials.uid}`,
      "--",
      ...words,
    ],
  ])}`;
}
