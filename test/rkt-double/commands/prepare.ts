import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandLine, failAs, isKnownManifestField } from "../arguments.ts";
import { appFromFlags, appRequests, pairOf, volumeOf } from "../cli-apps.ts";
import { checkConfiguration, jsonProblem } from "../configuration.ts";
import { findImage } from "../find-image.ts";
import { type AppTree, flyFiles } from "../fly.ts";
import { goJson } from "../go-format.ts";
import { type ImageManifest, type ImageRecord, ImageStore } from "../image-store.ts";
import { takeLock } from "../locks.ts";
import { manifestProblem, type PodManifest, type RuntimeApp } from "../manifest.ts";
import { print, refuse } from "../output.ts";
import { placeOf } from "../pods.ts";
import { stage1Image } from "../stage1-images.ts";
import { manifestPaths } from "../vocabulary.ts";

/** Flags that do not go with `--pod-manifest`. */
const NOT_WITH_MANIFEST = ["volume", "mount", "port", "inherit-env", "set-env"];

/** `rkt prepare` */
export function prepare(line: CommandLine, dataDir: string): void {
  print(`${preparePod(line, dataDir)}\n`);
}

/** Prepares a pod of what `prepare` and `run` are given. @returns its UUID */
export function preparePod(line: CommandLine, dataDir: string): string {
  const { command, flags } = line;
  const file = flags.get("pod-manifest");
  checkConfiguration(line);
  if (file === undefined) checkNetwork(line);
  const requests = appRequests(line);
  if (file !== undefined && hasConflict(line)) {
    failAs(command, "conflicting flags set with --pod-manifest (see --help)");
  }
  const store = new ImageStore(dataDir);
  const found = requests.map((request) => {
    const image = findImage(request.image, line, store);
    if ("problem" in image) return failAs(command, `error finding images: ${image.problem}`);
    return { request, image };
  });
  const stage1 = stage1Image(line, store);
  const uuid = randomUUID();
  const uuidFile = flags.get("uuid-file-save");
  if (uuidFile !== undefined) writeFileSync(uuidFile, uuid);
  const path = makePod(dataDir, uuid);
  const fails = (problem: string) => failAs(command, `error setting up stage0: ${problem}`);
  const filling: Filling = { dataDir, uuid, store, stage1, fails };
  if (file !== undefined) {
    const text = readManifest(file, fails);
    fillPod(path, text, parseManifest(text, fails), filling);
  } else {
    const apps = found.map(({ request, image }) =>
      appFromFlags(request, image, store.manifest(image.id), podEnvironment(line)),
    );
    const manifest = manifestOfFlags(line, apps, fails);
    fillPod(path, goJson(manifest), manifest, filling);
  }
  renameSync(path, join(placeOf(dataDir, "prepared"), uuid));
  return uuid;
}

/** A pod is under a lock from the moment when it can be seen until its preparation is over. */
function makePod(dataDir: string, uuid: string): string {
  const embryo = join(placeOf(dataDir, "embryo"), uuid);
  mkdirSync(embryo, { mode: 0o750 });
  takeLock(embryo);
  const path = join(placeOf(dataDir, "prepare"), uuid);
  renameSync(embryo, path);
  return path;
}

interface Filling {
  readonly dataDir: string;
  readonly uuid: string;
  readonly store: ImageStore;
  readonly stage1: ImageRecord;
  readonly fails: (problem: string) => never;
}

function fillPod(path: string, text: string, manifest: PodManifest, filling: Filling): void {
  const { store, stage1, fails, dataDir, uuid } = filling;
  const problem = manifestProblem(manifest);
  if (problem !== undefined) fails(problem);
  const trees = new Map<string, AppTree>();
  const images = new Map<string, ImageManifest>();
  for (const { name, image: wanted } of manifest.apps) {
    const [image = fails("no image IDs found"), ...others] = store.byId(wanted.id);
    if (others.length > 0) refuse(`image id "${wanted.id}", which several images have`);
    const folder = join(path, "appsinfo", name);
    mkdirSync(folder, { recursive: true });
    const treeId = store.render(image);
    trees.set(name, { id: treeId, path: store.tree(treeId) });
    images.set(name, store.manifest(image.id));
    writeFileSync(join(folder, "treeStoreID"), treeId);
    writeFileSync(join(folder, "manifest"), JSON.stringify(images.get(name)));
  }
  mkdirSync(join(path, "stage1"));
  writeFileSync(join(path, "stage1/manifest"), JSON.stringify(store.manifest(stage1.id)));
  writeFileSync(join(path, "stage1TreeStoreID"), store.render(stage1));
  if (stage1.name.endsWith("-fly")) {
    const pod = { uuid, path: join(placeOf(dataDir, "run"), uuid), state: "running" } as const;
    for (const [name, text] of flyFiles({ pod, manifest, trees, images }))
      writeFileSync(join(path, "stage1", name), text);
  }
  writeFileSync(join(path, "overlay-prepared"), "");
  writeFileSync(join(path, "pod.lck"), "");
  writeFileSync(join(path, "pod"), text);
  writeFileSync(join(path, "pod-created"), "");
}

function readManifest(file: string, fails: (problem: string) => never): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fails(`open ${file}: no such file or directory`);
  }
}

function parseManifest(text: string, fails: (problem: string) => never): PodManifest {
  const wrong = jsonProblem(text);
  if (wrong !== undefined) return fails(wrong);
  const value: unknown = JSON.parse(text);
  const manifest = value as PodManifest;
  // what rkt finds wrong itself, it says itself
  if (manifestProblem({ ...manifest, apps: manifest.apps ?? [] }) === undefined) {
    const unknown = manifestPaths(value).find((path) => !isKnownManifestField(path));
    if (unknown !== undefined) refuse(`manifest field "${unknown}"`);
  }
  return { ...manifest, apps: manifest.apps ?? [] };
}

function hasConflict({ words, flags }: CommandLine): boolean {
  const policy = flags.get("pull-policy") ?? "new";
  return words.length > 0 || policy !== "new" || NOT_WITH_MANIFEST.some((flag) => flags.has(flag));
}

function checkNetwork({ command, flags }: CommandLine): void {
  if (flags.has("port") && flags.get("net") === "host") {
    failAs(command, "--port flag does not work with 'host' networking");
  }
}

function podEnvironment({ arguments: given }: CommandLine) {
  return given.flatMap((one) =>
    "flag" in one && one.flag === "set-env" ? [pairOf(one.value)] : [],
  );
}

function manifestOfFlags(
  { arguments: given }: CommandLine,
  apps: readonly RuntimeApp[],
  fails: (problem: string) => never,
): PodManifest & object {
  const values = (flag: string) =>
    given.flatMap((one) => ("flag" in one && one.flag === flag ? [one.value] : []));
  const names = apps.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) fails(`error: multiple apps with name ${twice}`);
  for (const port of values("port").map((value) => value.split(":")[0] ?? "")) {
    const isKnown = apps.some(({ app }) => app?.ports?.some(({ name }) => name === port));
    if (!isKnown) fails(`port name "${port}" could not be found in any apps`);
    refuse("--port of a pod that starts");
  }
  const volumes = values("volume").map(volumeOf);
  return {
    acVersion: "1.30.0",
    acKind: "PodManifest",
    apps,
    volumes: volumes.length === 0 ? null : volumes,
    isolators: null,
    annotations: [{ name: "coreos.com/rkt/stage1/mutable", value: "false" }],
    ports: [],
  } as PodManifest;
}
