import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CommandLine, failAs } from "../arguments.ts";
import { checkConfiguration } from "../configuration.ts";
import { findImage } from "../find-image.ts";
import { goAgo, goDuration, goJson, goTable, goTime } from "../go-format.ts";
import { type ImageRecord, ImageStore } from "../image-store.ts";
import { complain, Exit, print, refuse } from "../output.ts";
import { manifestOf } from "../pod-view.ts";
import { listPods, readPodFile } from "../pods.ts";

const SHORT_ID = "sha512-".length + 32;
const TABLE_ID = "sha512-".length + 12;

/** `rkt fetch` */
export function fetch(line: CommandLine, dataDir: string): void {
  if (line.words.length === 0) failAs("fetch", "must provide at least one image");
  checkConfiguration(line);
  const store = new ImageStore(dataDir);
  const images = line.words.map((word) => {
    const image = findImage(word, line, store);
    return "problem" in image ? failAs("fetch", image.problem) : image;
  });
  for (const image of images) store.renderNew(image);
  const length = line.flags.get("full") === "true" ? undefined : SHORT_ID;
  print(images.map(({ id }) => `${id.slice(0, length)}\n`).join(""));
}

/** `rkt image list` */
export function imageList({ flags }: CommandLine, dataDir: string): void {
  const images = new ImageStore(dataDir).list();
  const format = flags.get("format");
  if (format === undefined) {
    const full = flags.get("full") === "true";
    const time = full ? goTime : goAgo;
    const rows = images.map((image) => [
      full ? image.id : image.id.slice(0, TABLE_ID),
      nameOf(image),
      full ? `${sizeOf(image)}` : inBinaryUnits(sizeOf(image)),
      time(BigInt(image.importTime)),
      time(BigInt(image.lastUsedTime)),
    ]);
    print(goTable([["ID", "NAME", "SIZE", "IMPORT TIME", "LAST USED"], ...rows]));
    return;
  }
  const views = images.map((image) => ({
    id: image.id,
    name: nameOf(image),
    import_time: BigInt(image.importTime),
    last_used_time: BigInt(image.lastUsedTime),
    size: sizeOf(image),
  }));
  const indent = format === "json-pretty" ? "\t" : "";
  print(`${goJson(views.length === 0 ? null : views, indent)}\n`);
}

function nameOf({ name, version }: ImageRecord): string {
  return version === undefined ? name : `${name}:${version}`;
}

function sizeOf({ blobBytes, treeBytes }: ImageRecord): number {
  return blobBytes + treeBytes;
}

function inBinaryUnits(bytes: number): string {
  const power = bytes < 10 ? 0 : Math.floor(Math.log(bytes) / Math.log(1024));
  const value = Math.floor((bytes / 1024 ** power) * 10 + 0.5) / 10;
  const unit = ["B", "KiB", "MiB", "GiB"][power] ?? refuse("an image of that size");
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)}${unit}`;
}

/** `rkt image cat-manifest` */
export function imageCatManifest(line: CommandLine, dataDir: string): void {
  const store = new ImageStore(dataDir);
  const image = wantedImage("cat-manifest", line.words[0] ?? "", store);
  const { acKind, acVersion, name, ...rest } = { ...store.manifest(image.id) } as Record<
    string,
    unknown
  >;
  print(`${goJson({ acKind, acVersion, name, ...rest }, "\t")}\n`);
}

/** An image of the store by its name or the start of its id. */
function storedImage(word: string, store: ImageStore): ImageRecord | { readonly problem: string } {
  if (word === "sha512-") {
    return {
      problem: "ACIdentifier must start and end with only lower case alphanumeric characters",
    };
  }
  if (word.startsWith("sha512-")) {
    const [image, ...others] = store.byId(word);
    if (others.length > 0) refuse(`image id "${word}", which several images have`);
    return image ?? { problem: "no image IDs found" };
  }
  const [name = "", version, ...more] = word.split(":");
  if (more.length > 0) {
    return { problem: "malformed app string - colon may appear at most once" };
  }
  const image = store.byName(name, version);
  if (image !== undefined) return image;
  if (version !== undefined) refuse(`image name "${word}", which is not in the store,`);
  return {
    problem: `cannot find aci satisfying name: "${name}" and labels: [] in the local store`,
  };
}

function wantedImage(command: string, word: string, store: ImageStore): ImageRecord {
  const image = storedImage(word, store);
  return "problem" in image ? failAs(command, image.problem) : image;
}

/** `rkt image rm` */
export function imageRm({ words }: CommandLine, dataDir: string): void {
  if (words.length === 0) failAs("rm", "must provide at least one image ID");
  const store = new ImageStore(dataDir);
  const found = words.flatMap((word) => {
    const image = storedImage(word, store);
    if (!("problem" in image)) return [image];
    complain(`rm: ${image.problem}\n`);
    return [];
  });
  removeImages(found, store, "rm");
}

function removeImages(images: readonly ImageRecord[], store: ImageStore, command: string): void {
  for (const { id } of images) {
    store.remove(id);
    print(`successfully removed aci for image: "${id}"\n`);
  }
  if (images.length > 0) complain(`${command}: ${images.length} image(s) successfully removed\n`);
}

/** `rkt image gc` */
export function imageGc({ flags }: CommandLine, dataDir: string): void {
  const store = new ImageStore(dataDir);
  const pods = listPods(dataDir);
  const trees = pods.flatMap((pod) => [
    readPodFile(pod, "stage1TreeStoreID") ?? "",
    ...(manifestOf(pod)?.apps ?? []).map(
      ({ name }) => readPodFile(pod, join("appsinfo", name, "treeStoreID")) ?? "",
    ),
  ]);
  for (const treeId of store.removeTrees(new Set(trees))) {
    complain(`gc: removed treestore "${treeId}"\n`);
  }
  const running = pods.filter(({ state }) => state === "running");
  const used = new Set(
    running.flatMap((pod) => manifestOf(pod)?.apps ?? []).map(({ image }) => image.id),
  );
  const grace = goDuration(flags.get("grace-period") ?? "24h") ?? 0;
  const old = store
    .list()
    .filter(
      ({ id, lastUsedTime }) =>
        !used.has(id) && Number(BigInt(lastUsedTime) / 1_000_000n) + grace < Date.now(),
    );
  removeImages(old, store, "gc");
}

/** `rkt image export` */
export function imageExport({ words, flags }: CommandLine, dataDir: string): void {
  const [word = "", file = ""] = words;
  const store = new ImageStore(dataDir);
  const image = wantedImage("export", word, store);
  if (existsSync(file) && flags.get("overwrite") !== "true") {
    failAs("export", "output ACI file exists (try --overwrite)");
  }
  store.export(image.id, file);
}

/** `rkt image verify` */
export function imageVerify({ words }: CommandLine, dataDir: string): void {
  const [word = ""] = words;
  const image = storedImage(word, new ImageStore(dataDir));
  if ("problem" in image) throw new Exit(254);
  print(`successfully verified checksum for image: "${word}" ("${image.id}")\n`);
}
